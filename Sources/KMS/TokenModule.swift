// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import CPKCS11
internal import Diagnostics
internal import Glibc
internal import Secrets

/// A PKCS#11 module (version 2.40), opened as the program runs and never closed: vendors' libraries start threads of their own.
///
/// Every call may block for as long as the hardware takes.
@safe final class TokenModule: @unchecked Sendable {
    /// A call that came back with something else than CKR_OK.
    struct Fault: Error {
        let call: String
        let value: UInt

        init(_ call: String, _ value: UInt) {
            self.call = call
            self.value = value
        }

        /// Whether another session may find the token well: it was lost, pulled out, or its service was started again.
        var isLoss: Bool {
            [
                UInt(CKR_SESSION_HANDLE_INVALID), UInt(CKR_SESSION_CLOSED), UInt(CKR_USER_NOT_LOGGED_IN),
                UInt(CKR_DEVICE_REMOVED), UInt(CKR_DEVICE_ERROR), UInt(CKR_DEVICE_MEMORY),
                UInt(CKR_TOKEN_NOT_PRESENT), UInt(CKR_TOKEN_NOT_RECOGNIZED), UInt(CKR_SLOT_ID_INVALID),
                UInt(CKR_KEY_HANDLE_INVALID), UInt(CKR_OBJECT_HANDLE_INVALID),
                UInt(CKR_CRYPTOKI_NOT_INITIALIZED),
                UInt(CKR_OPERATION_ACTIVE), UInt(CKR_SESSION_COUNT), UInt(CKR_HOST_MEMORY),
            ].contains(value)
        }

        var isRefusedPIN: Bool {
            [
                UInt(CKR_PIN_INCORRECT), UInt(CKR_PIN_INVALID), UInt(CKR_PIN_LEN_RANGE),
                UInt(CKR_PIN_EXPIRED), UInt(CKR_PIN_LOCKED),
            ]
            .contains(value)
        }

        var text: String { "\(call) answers 0x\(String(value, radix: 16))" }
    }

    private let functions: UnsafeMutablePointer<ck_function_list>
    private static let symbol = "C_GetFunctionList"
    private typealias GetFunctions =
        @convention(c) (
            UnsafeMutablePointer<UnsafeMutablePointer<ck_function_list>?>?
        ) -> UInt

    init(_ path: String) throws(KMSError) {
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "no reason given"
            throw KMSError(.kmsKeyUnusable, "module: \(reason)")
        }
        guard let symbol = unsafe dlsym(handle, Self.symbol) else {
            throw KMSError(.kmsKeyUnusable, "module: \(path) is no PKCS#11 library")
        }
        let get = unsafe Self.function(symbol)
        var list: UnsafeMutablePointer<ck_function_list>?
        guard unsafe get(&list) == UInt(CKR_OK), let list = unsafe list else {
            throw KMSError(.kmsKeyUnusable, "module: \(path) gives out no functions")
        }
        unsafe functions = list
    }

    /// What a symbol of that name is, says the standard.
    private static func function(_ symbol: UnsafeMutableRawPointer) -> GetFunctions {
        unsafe withUnsafePointer(to: symbol) { place in
            unsafe place.withMemoryRebound(to: GetFunctions.self, capacity: 1) { unsafe $0.pointee }
        }
    }

    private func check(_ call: String, _ value: UInt?) throws(Fault) {
        guard value == UInt(CKR_OK) else { throw Fault(call, value ?? UInt(CKR_FUNCTION_NOT_SUPPORTED)) }
    }

    /// For the whole process; again does no harm.
    func initialize() throws(Fault) {
        var arguments = unsafe ck_c_initialize_args()
        unsafe arguments.flags = UInt(CKF_OS_LOCKING_OK)
        let value = unsafe functions.pointee.C_Initialize?(&arguments)
        guard value != UInt(CKR_CRYPTOKI_ALREADY_INITIALIZED) else { return }
        try check("C_Initialize", value)
    }

    /// The slots whose token has that label.
    func slots(labelled label: String) throws(Fault) -> [UInt] {
        var count: UInt = 0
        try check("C_GetSlotList", unsafe functions.pointee.C_GetSlotList?(1, nil, &count))
        var slots = [UInt](repeating: 0, count: Int(clamping: min(count, 4096)))
        count = UInt(slots.count)
        try check("C_GetSlotList", unsafe functions.pointee.C_GetSlotList?(1, &slots, &count))
        let padded = Array(label.utf8) + [UInt8](repeating: 0x20, count: max(0, 32 - label.utf8.count))
        return slots.prefix(Int(clamping: count)).filter { slot in
            var info = ck_token_info()
            guard unsafe functions.pointee.C_GetTokenInfo?(slot, &info) == UInt(CKR_OK) else { return false }
            return unsafe withUnsafeBytes(of: &info.label) { unsafe $0.elementsEqual(padded) }
        }
    }

    func openSession(_ slot: UInt) throws(Fault) -> UInt {
        var session: UInt = 0
        try check(
            "C_OpenSession",
            unsafe functions.pointee.C_OpenSession?(slot, UInt(CKF_SERIAL_SESSION), nil, nil, &session))
        return session
    }

    func closeSession(_ session: UInt) { unsafe _ = functions.pointee.C_CloseSession?(session) }

    /// Of all that this process has there.
    func closeAllSessions(_ slot: UInt) { unsafe _ = functions.pointee.C_CloseAllSessions?(slot) }

    /// Holds for all sessions of the process with this token.
    func logIn(_ session: UInt, pin: borrowing SecretBytes) throws(Fault) {
        let count = UInt(pin.count)
        let value = unsafe pin.bytes.withUnsafeBufferPointer { bytes in
            unsafe functions.pointee.C_Login?(
                session, UInt(CKU_USER), UnsafeMutablePointer(mutating: bytes.baseAddress), count)
        }
        guard value != UInt(CKR_USER_ALREADY_LOGGED_IN) else { return }
        try check("C_Login", value)
    }

    func checkSession(_ session: UInt) throws(Fault) {
        var info = ck_session_info()
        try check("C_GetSessionInfo", unsafe functions.pointee.C_GetSessionInfo?(session, &info))
        guard info.state == UInt(CKS_RO_USER_FUNCTIONS) || info.state == UInt(CKS_RW_USER_FUNCTIONS) else {
            throw Fault("C_GetSessionInfo", UInt(CKR_USER_NOT_LOGGED_IN))
        }
    }

    struct Key {
        let handle: UInt
        let id: [UInt8]
        /// In bytes.
        let length: UInt
    }

    /// AES keys with that label, and that id if it is given.
    func keys(_ session: UInt, label: String, id: [UInt8]?) throws(Fault) -> [Key] {
        var sort = UInt(CKO_SECRET_KEY)
        var type = UInt(CKK_AES)
        var label = Array(label.utf8)
        var sought = id ?? []
        var found = [UInt](repeating: 0, count: 16)
        var count: UInt = 0
        let size = UInt(MemoryLayout<UInt>.size)
        let value: UInt? = unsafe withUnsafeMutablePointer(to: &sort) { sort in
            unsafe withUnsafeMutablePointer(to: &type) { type in
                unsafe label.withUnsafeMutableBytes { label in
                    unsafe sought.withUnsafeMutableBytes { sought in
                        var template = unsafe [
                            ck_attribute(type: UInt(CKA_CLASS), value: sort, value_len: size),
                            ck_attribute(type: UInt(CKA_KEY_TYPE), value: type, value_len: size),
                            ck_attribute(
                                type: UInt(CKA_LABEL), value: label.baseAddress, value_len: UInt(label.count)),
                        ]
                        if id != nil {
                            unsafe template.append(
                                ck_attribute(
                                    type: UInt(CKA_ID), value: sought.baseAddress,
                                    value_len: UInt(sought.count)))
                        }
                        return unsafe functions.pointee.C_FindObjectsInit?(
                            session, &template, UInt(template.count))
                    }
                }
            }
        }
        try check("C_FindObjectsInit", value)
        let search = unsafe functions.pointee.C_FindObjects?(session, &found, UInt(found.count), &count)
        unsafe _ = functions.pointee.C_FindObjectsFinal?(session)
        try check("C_FindObjects", search)
        var keys: [Key] = []
        for handle in found.prefix(Int(clamping: count)) {
            keys.append(
                Key(
                    handle: handle, id: try keyID(session, handle), length: try keyLength(session, handle)))
        }
        return keys
    }

    private func keyLength(_ session: UInt, _ key: UInt) throws(Fault) -> UInt {
        var length: UInt = 0
        let value: UInt? = unsafe withUnsafeMutablePointer(to: &length) { place in
            var attribute = unsafe ck_attribute(
                type: UInt(CKA_VALUE_LEN), value: place, value_len: UInt(MemoryLayout<UInt>.size))
            return unsafe functions.pointee.C_GetAttributeValue?(session, key, &attribute, 1)
        }
        try check("C_GetAttributeValue", value)
        return length
    }

    private func keyID(_ session: UInt, _ key: UInt) throws(Fault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 256)
        var count: UInt = 0
        let value: UInt? = unsafe bytes.withUnsafeMutableBytes { place in
            var attribute = unsafe ck_attribute(
                type: UInt(CKA_ID), value: place.baseAddress, value_len: UInt(place.count))
            let value = unsafe functions.pointee.C_GetAttributeValue?(session, key, &attribute, 1)
            unsafe count = attribute.value_len
            return value
        }
        try check("C_GetAttributeValue", value)
        return Array(bytes.prefix(Int(clamping: count)))
    }

    // MARK: AES-GCM with a tag of 16 bytes

    /// The nonce comes back as the token used it: some choose their own.
    func encrypt(
        _ session: UInt, key: UInt, _ secret: borrowing SecretBytes, nonce: [UInt8], associatedData: [UInt8]
    ) throws(Fault) -> (nonce: [UInt8], sealed: [UInt8]) {
        var nonce = nonce
        var sealed = [UInt8](repeating: 0, count: secret.count + 64)
        var count = UInt(sealed.count)
        let begun = unsafe withParameters(&nonce, associatedData) { mechanism in
            unsafe functions.pointee.C_EncryptInit?(session, mechanism, key)
        } then: {
            unsafe secret.bytes.withUnsafeBufferPointer { plain in
                unsafe functions.pointee.C_Encrypt?(
                    session, UnsafeMutablePointer(mutating: plain.baseAddress), UInt(plain.count), &sealed,
                    &count)
            }
        }
        try check("C_EncryptInit", begun.first)
        try check("C_Encrypt", begun.second)
        return (nonce, Array(sealed.prefix(Int(clamping: count))))
    }

    func decrypt(_ session: UInt, key: UInt, _ sealed: [UInt8], nonce: [UInt8], associatedData: [UInt8])
        throws
        -> SecretBytes
    {
        var nonce = nonce
        var sealed = sealed
        var outcome: (first: UInt?, second: UInt?) = (nil, nil)
        let opened = try SecretBytes(capacity: sealed.count) { output in
            unsafe output.withUnsafeMutableBufferPointer { plain, initialized in
                var count = UInt(plain.count)
                outcome = unsafe withParameters(&nonce, associatedData) { mechanism in
                    unsafe functions.pointee.C_DecryptInit?(session, mechanism, key)
                } then: {
                    unsafe functions.pointee.C_Decrypt?(
                        session, &sealed, UInt(sealed.count), plain.baseAddress, &count)
                }
                if outcome.second == UInt(CKR_OK) { initialized = min(Int(clamping: count), plain.count) }
            }
        }
        try check("C_DecryptInit", outcome.first)
        try check("C_Decrypt", outcome.second)
        return opened
    }

    /// Both calls while the mechanism's parameters are where it says: tokens read them in either, and write the nonce.
    private func withParameters(
        _ nonce: inout [UInt8], _ associatedData: [UInt8],
        _ begin: (UnsafeMutablePointer<ck_mechanism>) -> UInt?,
        then: () -> UInt?
    ) -> (first: UInt?, second: UInt?) {
        var bound = associatedData
        let bits = UInt(nonce.count * 8)
        return unsafe nonce.withUnsafeMutableBufferPointer { nonce in
            unsafe bound.withUnsafeMutableBufferPointer { bound in
                var parameters = unsafe ck_gcm_params(
                    iv_ptr: nonce.baseAddress, iv_len: UInt(nonce.count), iv_bits: bits,
                    aad_ptr: bound.baseAddress, aad_len: UInt(bound.count), tag_bits: 128)
                return unsafe withUnsafeMutablePointer(to: &parameters) { parameters in
                    var mechanism = unsafe ck_mechanism(
                        mechanism: UInt(CKM_AES_GCM), parameter: parameters,
                        parameter_len: UInt(MemoryLayout<ck_gcm_params>.size))
                    let first = unsafe begin(&mechanism)
                    return first == UInt(CKR_OK) ? (first, then()) : (first, first)
                }
            }
        }
    }
}
