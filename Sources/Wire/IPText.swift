/// Addresses, names and numbers as text. inet_pton(3) as RFC 4291 section 2.2 has it, without zones.
enum IPText {
    /// A decimal number without leading zeros, up to `limit`.
    static func decimal(_ bytes: Span<UInt8>, _ range: Range<Int>, limit: Int) -> Int? {
        guard (1...9).contains(range.count), range.count == 1 || bytes[range.lowerBound] != 0x30 else { return nil }
        var value = 0
        for index in range {
            let digit = Int(bytes[index]) - 0x30
            guard (0...9).contains(digit) else { return nil }
            value = value * 10 + digit
        }
        return value <= limit ? value : nil
    }

    static func port(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt16? {
        decimal(bytes, range, limit: 65535).map { UInt16($0) }
    }

    /// Four decimal numbers between dots.
    static func ipv4(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt32? {
        var bits: UInt32 = 0
        var parts = 0
        var start = range.lowerBound
        for index in range.lowerBound...range.upperBound
        where index == range.upperBound || bytes[index] == UInt8(ascii: ".") {
            guard parts < 4, let part = decimal(bytes, start..<index, limit: 255) else { return nil }
            bits = bits << 8 | UInt32(part)
            parts += 1
            start = index + 1
        }
        return parts == 4 ? bits : nil
    }

    /// Eight groups of up to four hexadecimal digits, `::` at most once, the last two possibly as IPv4.
    static func ipv6(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt128? {
        let colon = UInt8(ascii: ":")
        var groups: [UInt16] = []
        var gap: Int?
        var index = range.lowerBound
        if range.count >= 2, bytes[index] == colon {
            guard bytes[index + 1] == colon else { return nil }
            gap = 0
            index += 2
        }
        while index < range.upperBound {
            var end = index
            while end < range.upperBound, bytes[end] != colon { end += 1 }
            if end == range.upperBound, let four = ipv4(bytes, index..<end) {
                groups.append(UInt16(truncatingIfNeeded: four >> 16))
                groups.append(UInt16(truncatingIfNeeded: four))
                index = end
                break
            }
            guard let group = hexadecimal(bytes, index..<end) else { return nil }
            groups.append(group)
            index = end
            guard index < range.upperBound else { break }
            index += 1
            if index < range.upperBound, bytes[index] == colon {
                guard gap == nil else { return nil }
                gap = groups.count
                index += 1
            } else if index == range.upperBound {
                return nil
            }
            if groups.count > 8 { return nil }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        return groups.reduce(0) { $0 << 16 | UInt128($1) }
    }

    private static func hexadecimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt16? {
        guard (1...4).contains(range.count) else { return nil }
        var value: UInt16 = 0
        for index in range {
            let digit: UInt8
            switch bytes[index] {
            case 0x30...0x39: digit = bytes[index] - 0x30
            case 0x41...0x46: digit = bytes[index] - 0x41 + 10
            case 0x61...0x66: digit = bytes[index] - 0x61 + 10
            default: return nil
            }
            value = value << 4 | UInt16(digit)
        }
        return value
    }

    /// An address literal, or a DNS name: labels of letters, digits, hyphens and underscores, at most 253 characters.
    static func host(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Destination.Host? {
        if let four = ipv4(bytes, range) { return .address(.ipv4(four)) }
        if let six = ipv6(bytes, range) { return .address(.ipv6(six)) }
        return isName(bytes, range) ? .name(bytes.text(range)) : nil
    }

    /// A last label of digits only (`127.1`, `2130706433`) is no name: some resolvers take it for an address.
    private static func isName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        var end = range.upperBound
        if end - range.lowerBound > 1, bytes[end - 1] == UInt8(ascii: ".") { end -= 1 }
        guard (1...253).contains(end - range.lowerBound) else { return false }
        var label = 0
        var isNumber = true
        for index in range.lowerBound..<end {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "."):
                guard label > 0, bytes[index - 1] != UInt8(ascii: "-") else { return false }
                label = 0
                isNumber = true
                continue
            case UInt8(ascii: "-"):
                guard label > 0 else { return false }
                isNumber = false
            case 0x30...0x39: break
            case 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"): isNumber = false
            default: return false
            }
            label += 1
            guard label <= 63 else { return false }
        }
        guard label > 0, bytes[end - 1] != UInt8(ascii: "-"), !isNumber else { return false }
        // 0x7f.1 and 0x7f000001 are numbers to some resolvers too.
        let last = end - label
        return !(label >= 2 && bytes[last] == 0x30 && bytes[last + 1] | 0x20 == UInt8(ascii: "x"))
    }
}
