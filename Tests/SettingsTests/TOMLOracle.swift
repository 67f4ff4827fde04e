// SPDX-License-Identifier: Apache-2.0

import TestSupport

/// Python's tomllib, one process for a whole batch of documents.
///
/// It departs from the text of TOML 1.0 in these points, where `agrees` lets this parser go its own way:
/// - It takes integers beyond 64 bits; the text demands an error. The script below refuses them.
/// - It refuses the year 0000 and the leap second :60, since `datetime` cannot hold them; RFC 3339 has both.
enum TOMLOracle {
    /// For each document its canonical form, or nil if it is refused.
    static func judge(_ documents: [[UInt8]]) throws -> [String?] {
        var input: [UInt8] = []
        for document in documents {
            for shift in [24, 16, 8, 0] { input.append(UInt8(truncatingIfNeeded: document.count >> shift)) }
            input += document
        }
        let lines = try Command.python(script, input: input).text.split(separator: "\n")
        return lines.map { $0 == "-" ? nil : String($0) }
    }

    static func agrees(_ ours: String?, _ theirs: String?) -> Bool {
        if ours == theirs { return true }
        guard let ours, theirs == nil else { return false }
        return ours.contains("d:0000-") || ours.contains("dt:0000-") || ours.contains(":60.")
    }

    private static let script = """
        import io, struct, sys, tomllib
        from datetime import date, datetime, time

        def text(value):
            return value.encode("utf-8").hex()

        def clock(value):
            return value.strftime("%H:%M:%S.%f")

        def day(value):
            return f"{value.year:04}-{value.month:02}-{value.day:02}"

        def form(value):
            if isinstance(value, dict):
                pairs = sorted((text(key), form(item)) for key, item in value.items())
                return "{" + ",".join(f'"{key}":{item}' for key, item in pairs) + "}"
            if isinstance(value, list):
                return "[" + ",".join(form(item) for item in value) + "]"
            return '"' + leaf(value) + '"'

        def leaf(value):
            if isinstance(value, str):
                return "s:" + text(value)
            if isinstance(value, bool):
                return "b:true" if value else "b:false"
            if isinstance(value, int):
                if not -2**63 <= value < 2**63:
                    raise ValueError("beyond 64 bits")
                return f"i:{value}"
            if isinstance(value, float):
                return "f:nan" if value != value else "f:" + struct.pack(">d", value).hex()
            if isinstance(value, datetime):
                offset = value.utcoffset()
                tail = "" if offset is None else f" {round(offset.total_seconds()) // 60}"
                return f"dt:{day(value)}T{clock(value)}{tail}"
            if isinstance(value, date):
                return "d:" + day(value)
            if isinstance(value, time):
                return "t:" + clock(value)
            raise TypeError(value)

        source = sys.stdin.buffer
        while length := source.read(4):
            document = source.read(int.from_bytes(length, "big"))
            try:
                print(form(tomllib.load(io.BytesIO(document))))
            except (ValueError, UnicodeDecodeError):
                print("-")
        """
}
