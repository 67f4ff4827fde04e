// SPDX-License-Identifier: Apache-2.0

internal import COpenSSL
internal import Diagnostics

/// An `EC_GROUP`.
enum GroupObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe EC_GROUP_free(object) }
}

/// An `EC_POINT`.
enum PointObject: OpenSSLObject {
    static func free(_ object: OpaquePointer) { unsafe EC_POINT_clear_free(object) }
}

/// P-256 or P-384.
@safe struct Curve: ~Copyable {
    let algorithm: KeyAlgorithm
    private let group: OpenSSLPointer<GroupObject>
    private let arithmetic: Arithmetic

    init(_ algorithm: KeyAlgorithm) throws {
        let number: Int32
        switch algorithm {
        case .p256: number = NID_X9_62_prime256v1
        case .p384: number = NID_secp384r1
        default: throw CryptographyError(.algorithmMismatch, "\(algorithm.rawValue) is no curve of ECDSA")
        }
        let group = unsafe try OpenSSLPointer<GroupObject>(
            EC_GROUP_new_by_curve_name(number), "EC_GROUP_new_by_curve_name")
        let arithmetic = try Arithmetic()
        self.algorithm = algorithm
        self.group = group
        self.arithmetic = arithmetic
    }

    /// The bytes of a coordinate or scalar.
    var width: Int { algorithm.bits / 8 }

    func holds(scalar: borrowing BigNumber) -> Bool {
        unsafe !scalar.isZero && BN_cmp(scalar.pointer, EC_GROUP_get0_order(group.pointer)) < 0
    }

    /// The public point of a scalar in the uncompressed form, computed in constant time.
    func publicPoint(of scalar: borrowing BigNumber) throws -> [UInt8] {
        let point = unsafe try OpenSSLPointer<PointObject>(EC_POINT_new(group.pointer), "EC_POINT_new")
        unsafe try check(
            EC_POINT_mul(group.pointer, point.pointer, scalar.pointer, nil, nil, arithmetic.pointer),
            "EC_POINT_mul")
        return try encode(point)
    }

    /// A point in the uncompressed form, from that or the compressed form; `nil` when it is not on the curve.
    func point(_ encoded: Span<UInt8>) throws -> [UInt8]? {
        // One byte alone would be the point at infinity; the hybrid forms are not used anywhere.
        guard encoded.count == width + 1 || encoded.count == 2 * width + 1, encoded[0] <= 4 else {
            return nil
        }
        let point = unsafe try OpenSSLPointer<PointObject>(EC_POINT_new(group.pointer), "EC_POINT_new")
        // The buffer is read by the call alone.
        let read = unsafe encoded.withUnsafeBufferPointer { buffer in
            unsafe EC_POINT_oct2point(
                group.pointer, point.pointer, buffer.baseAddress, buffer.count, arithmetic.pointer)
        }
        guard read == 1 else {
            dropErrors()
            return nil
        }
        return try encode(point)
    }

    private func encode(_ point: borrowing OpenSSLPointer<PointObject>) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 2 * width + 1)
        let count = unsafe EC_POINT_point2oct(
            group.pointer, point.pointer, POINT_CONVERSION_UNCOMPRESSED, &bytes, bytes.count,
            arithmetic.pointer)
        try check(count == bytes.count ? 1 : 0, "EC_POINT_point2oct")
        return bytes
    }
}
