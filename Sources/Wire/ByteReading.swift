/// Big-endian numbers and pieces out of bytes. Indices are the caller's to check: a wrong one traps, and never reads past.
extension Span<UInt8> {
    func u16(_ index: Int) -> UInt16 {
        UInt16(self[index]) << 8 | UInt16(self[index + 1])
    }

    func u32(_ index: Int) -> UInt32 {
        UInt32(u16(index)) << 16 | UInt32(u16(index + 2))
    }

    func u64(_ index: Int) -> UInt64 {
        UInt64(u32(index)) << 32 | UInt64(u32(index + 4))
    }

    func u128(_ index: Int) -> UInt128 {
        UInt128(u64(index)) << 64 | UInt128(u64(index + 8))
    }

    func array(_ range: Range<Int>) -> [UInt8] {
        var copy: [UInt8] = []
        copy.reserveCapacity(range.count)
        for index in range { copy.append(self[index]) }
        return copy
    }

    func text(_ range: Range<Int>) -> String {
        String(decoding: array(range), as: UTF8.self)
    }

    /// Whether the bytes at `start`, as far as there are any, begin like `expected`.
    func agrees(with expected: StaticString, at start: Int = 0) -> Bool {
        expected.withUTF8Buffer { wanted in
            for index in 0..<Swift.min(wanted.count, Swift.max(0, count - start)) {
                guard unsafe self[start + index] == wanted[index] else { return false }
            }
            return true
        }
    }

    /// Where CR LF begins, from `start` on; `nil` when it does not come before `end`.
    func endOfLine(from start: Int, before end: Int) -> Int? {
        var index = start
        while index + 1 < Swift.min(end, count) {
            if self[index] == 0x0D, self[index + 1] == 0x0A { return index }
            index += 1
        }
        return nil
    }
}

/// Big-endian numbers at the end of bytes.
extension [UInt8] {
    mutating func appendNumber(_ value: UInt16) {
        append(UInt8(truncatingIfNeeded: value >> 8))
        append(UInt8(truncatingIfNeeded: value))
    }

    mutating func appendNumber(_ value: UInt32) {
        appendNumber(UInt16(truncatingIfNeeded: value >> 16))
        appendNumber(UInt16(truncatingIfNeeded: value))
    }

    mutating func appendNumber(_ value: UInt64) {
        appendNumber(UInt32(truncatingIfNeeded: value >> 32))
        appendNumber(UInt32(truncatingIfNeeded: value))
    }

    mutating func appendNumber(_ value: UInt128) {
        appendNumber(UInt64(truncatingIfNeeded: value >> 64))
        appendNumber(UInt64(truncatingIfNeeded: value))
    }
}
