// SPDX-License-Identifier: Apache-2.0

/// Which sort of value each number of the main header has, as rpm 4.18 knows them. rpm refuses a package where a known
/// number has another sort, and takes any sort under an unknown number.
enum RPMTagTypes {
    enum Sort: Sendable {
        case char
        case int16
        case int32
        case int64
        /// One text, several or translated ones.
        case text
        case binary
    }

    /// The sort that a value of this number must have; nil when any will do.
    static func sort(of tag: RPMTag) -> Sort? { sorts[tag.rawValue] }

    private static let sorts: [UInt32: Sort] = {
        var sorts: [UInt32: Sort] = [100: .text]
        for (sort, ranges) in table {
            for tag in ranges.joined() { sorts[tag] = sort }
        }
        return sorts
    }()

    private static let table: [(Sort, [ClosedRange<UInt32>])] = [
        (
            .char,
            [
                1029...1029
            ]
        ),
        (
            .int16,
            [
                1030...1030, 1033...1033,
            ]
        ),
        (
            .int32,
            [
                1003...1003, 1006...1006, 1008...1009, 1028...1028, 1034...1034, 1037...1037, 1045...1046,
                1048...1048, 1051...1053, 1068...1069, 1080...1080, 1095...1096, 1106...1106, 1112...1112,
                1114...1114, 1116...1116, 1119...1119, 1127...1129, 1134...1134, 1140...1141, 1143...1145,
                1158...1158, 1161...1161, 1195...1195, 5011...5011, 5017...5027, 5032...5033, 5037...5037,
                5045...5045, 5048...5048, 5051...5051, 5054...5054, 5057...5057, 5068...5068, 5070...5070,
                5072...5072, 5078...5078, 5080...5080, 5082...5082, 5084...5085, 5091...5091, 5093...5093,
            ]
        ),
        (
            .int64,
            [
                5008...5009
            ]
        ),
        (
            .text,
            [
                1000...1002, 1004...1005, 1007...1007, 1010...1011, 1014...1016, 1018...1027, 1035...1036,
                1039...1040, 1044...1044, 1047...1047, 1049...1050, 1054...1055, 1059...1062, 1064...1067,
                1079...1079, 1081...1082, 1085...1092, 1094...1094, 1097...1099, 1113...1113, 1115...1115,
                1117...1118, 1120...1126, 1132...1133, 1135...1135, 1142...1142, 1147...1157, 1159...1160,
                1196...1196, 5000...5002, 5005...5007, 5010...5010, 5012...5016, 5030...5031, 5034...5036,
                5040...5044, 5046...5047, 5049...5050, 5052...5053, 5055...5056, 5058...5062, 5066...5067,
                5069...5069, 5071...5071, 5076...5077, 5079...5079, 5081...5081, 5086...5090, 5092...5092,
                5096...5101,
            ]
        ),
        (
            .binary,
            [
                1012...1013, 1043...1043, 1146...1146,
            ]
        ),
    ]
}

extension RPMType {
    var sort: RPMTagTypes.Sort? {
        switch self {
        case .char: .char
        case .int8: nil
        case .int16: .int16
        case .int32: .int32
        case .int64: .int64
        case .string, .stringArray, .translatedString: .text
        case .binary: .binary
        }
    }
}
