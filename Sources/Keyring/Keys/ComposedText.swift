// SPDX-License-Identifier: Apache-2.0

// The standard library normalises text wherever it compares it, and shows the form under this name alone.
@_spi(_Unicode) private import Swift

extension StringProtocol {
    /// Whether it is in Unicode's normalization form C. Two texts in this form that look the same to the language are the
    /// same bytes, as the database compares them.
    var isComposed: Bool {
        let text = String(self)
        return text.unicodeScalars.elementsEqual(text._nfc)
    }
}
