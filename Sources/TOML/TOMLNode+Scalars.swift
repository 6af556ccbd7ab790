extension TOMLNode {
    /// The string, or a refusal that says what the string would be (`a duration such as "30s"`).
    public func string(_ expected: String = "text in \"quotes\"") throws(TOMLBadValue) -> String {
        guard case .string(let string) = value else {
            throw TOMLBadValue("is \(value.kind), not a string", "write \(expected)")
        }
        return string
    }

    /// The boolean.
    public func boolean() throws(TOMLBadValue) -> Bool {
        guard case .boolean(let boolean) = value else {
            throw TOMLBadValue("is \(value.kind), not a boolean", "write true or false, without quotes")
        }
        return boolean
    }

    /// The integer, which must be in `range`.
    public func integer(in range: ClosedRange<Int>) throws(TOMLBadValue) -> Int {
        let remedy = "write a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard case .integer(let integer) = value else {
            throw TOMLBadValue("is \(value.kind), not an integer", "\(remedy), without quotes")
        }
        guard let exact = Int(exactly: integer), range.contains(exact) else {
            throw TOMLBadValue("is \(integer), which is out of range", remedy)
        }
        return exact
    }

    /// The number, which must be in `range`; an integer is a number too.
    public func number(in range: ClosedRange<Double>) throws(TOMLBadValue) -> Double {
        let remedy = "write a number from \(range.lowerBound) to \(range.upperBound)"
        let number: Double
        switch value {
        case .float(let float): number = float
        case .integer(let integer): number = Double(integer)
        default: throw TOMLBadValue("is \(value.kind), not a number", "\(remedy), without quotes")
        }
        // False for NaN as well.
        guard range.contains(number) else { throw TOMLBadValue("is \(number), which is out of range", remedy) }
        return number
    }

    /// One of the words of a closed set.
    public func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type = Word.self
    ) throws(TOMLBadValue) -> Word where Word.RawValue == String {
        let words = Word.allCases.map(\.rawValue)
        let all = "write one of " + words.map { "\"\($0)\"" }.joined(separator: ", ")
        let string = try self.string(all.dropping(prefix: "write "))
        if let word = Word(rawValue: string) { return word }
        let remedy = NearestWord.find(string, among: words).map { "write \"\($0)\"" } ?? all
        throw TOMLBadValue("cannot be \"\(string)\"", remedy)
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
