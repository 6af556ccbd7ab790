import TOML

/// Numbers written in digits, followed by a unit.
enum DecimalText {
    /// Digits only: no sign, no space, no separators; nil when it does not fit.
    static func integer(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    /// `digits[.digits]` times `scale`, exactly; nil when it is not that, does not fit, or is no whole number.
    static func scaled(_ text: some StringProtocol, by scale: Int) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let whole = integer(first) else { return nil }
        var (total, overflows) = whole.multipliedReportingOverflow(by: scale)
        guard !overflows else { return nil }
        if parts.count == 2 {
            guard parts[1].utf8.count <= 9, let fraction = integer(parts[1]) else { return nil }
            let divisor = parts[1].utf8.reduce(1) { product, _ in product * 10 }
            let product = fraction.multipliedFullWidth(by: scale)
            let (quotient, remainder) = divisor.dividingFullWidth(product)
            guard remainder == 0 else { return nil }
            (total, overflows) = total.addingReportingOverflow(quotient)
            guard !overflows else { return nil }
        }
        return total
    }

    /// Where the number ends and the unit begins.
    static func split(_ text: Substring) -> (number: Substring, rest: Substring) {
        let number = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        return (number, text[number.endIndex...])
    }
}
