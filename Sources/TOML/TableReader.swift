/// Reads a table key by key, and goes on after a fault: problems are collected, not thrown, and a value that cannot be
/// used counts as absent. `finish()` then reports every key that nobody asked for.
public struct TableReader {
    /// How messages call the table, for example `[daemon]`; empty for the top level of a file.
    public let name: String
    /// Where the table begins.
    public let location: TOMLLocation
    /// Where problems go.
    public let problems: TOMLProblems
    /// Where the value of each key that was found begins.
    public private(set) var locations: [String: TOMLLocation] = [:]

    private var place: String { name.isEmpty ? "at the top level" : "in \(name)" }
    private let table: TOMLTable
    private var known: [String] = []

    /// A reader of `table`.
    public init(_ table: TOMLTable, name: String, at location: TOMLLocation, problems: TOMLProblems) {
        self.table = table
        self.name = name
        self.location = location
        self.problems = problems
    }

    /// The node of a key, which becomes known thereby; nil when it is absent.
    public mutating func node(_ key: String) -> TOMLNode? {
        known.append(key)
        guard let entry = table[key] else { return nil }
        locations[key] = entry.node.location
        if entry.node.isUnusable {
            problems.noteUnusable()
            return nil
        }
        return entry.node
    }

    /// What `read` makes of a key's node; nil when the key is absent, or wrong, which is then reported.
    public mutating func value<Value>(
        _ key: String, _ read: (TOMLNode) throws(TOMLBadValue) -> Value
    ) -> Value? {
        guard let node = node(key) else { return nil }
        return convert(node, key: key, read)
    }

    /// The elements of a key that takes one value, or a list of them. Each wrong element is reported by itself.
    ///
    /// - Parameter allowSingle: whether a bare value stands for a list of one.
    public mutating func list<Value>(
        _ key: String, allowSingle: Bool = false, _ read: (TOMLNode) throws(TOMLBadValue) -> Value
    ) -> [(value: Value, location: TOMLLocation)]? {
        guard let node = node(key) else { return nil }
        var elements = [node]
        if case .array(let array) = node.value {
            elements = array
        } else if !allowSingle {
            problems.report(
                at: node.location, "'\(key)' is \(node.value.kind), not a list", "write \(key) = [ … ]")
            return nil
        }
        var values: [(value: Value, location: TOMLLocation)] = []
        for element in elements {
            if let value = convert(element, key: key, read) { values.append((value, element.location)) }
        }
        return values
    }

    /// A reader of the table under a key; nil when the key is absent, or no table, which is then reported.
    public mutating func table(_ key: String, name: String? = nil) -> TableReader? {
        guard let node = node(key) else { return nil }
        guard case .table(let inner) = node.value else {
            problems.report(
                at: node.location, "'\(key)' is \(node.value.kind), not a table", "write \(key) = { KEY = VALUE, … }")
            return nil
        }
        return TableReader(inner, name: name ?? "'\(key)'", at: node.location, problems: problems)
    }

    /// Readers of the tables written as `[[key]]`.
    public mutating func tables(_ key: String, name: String) -> [TableReader] {
        guard let node = node(key) else { return [] }
        guard case .array(let elements) = node.value else {
            problems.report(
                at: node.location, "'\(key)' is \(node.value.kind), not a list of tables",
                "write \(name) with double brackets")
            return []
        }
        var readers: [TableReader] = []
        for element in elements {
            if case .table(let inner) = element.value {
                readers.append(TableReader(inner, name: name, at: element.location, problems: problems))
            } else {
                problems.report(at: element.location, "\(name) is \(element.value.kind), not a table", "write \(name)")
            }
        }
        return readers
    }

    /// Reports a key that has to be there and is not (one that is there but wrong has been reported already).
    public func require(_ key: String, example: String) {
        guard locations[key] == nil, problems.reportsMissing else { return }
        problems.report(at: location, "\(name) has no '\(key)'", "add \(key) = \(example)")
    }

    /// Reports every key that was never asked for. Call it last.
    public func finish() {
        problems.note(known: known, found: locations.keys, of: name)
        for entry in table.entries where !known.contains(entry.key) {
            let remedy =
                NearestWord.find(entry.key, among: known).map { "write '\($0)'" }
                ?? "it knows \(known.sorted().joined(separator: ", "))"
            problems.report(at: entry.keyLocation, "unknown key '\(entry.key)' \(place)", remedy)
        }
    }

    private func convert<Value>(
        _ node: TOMLNode, key: String, _ read: (TOMLNode) throws(TOMLBadValue) -> Value
    ) -> Value? {
        if node.isUnusable {
            problems.noteUnusable()
            return nil
        }
        do throws(TOMLBadValue) {
            return try read(node)
        } catch {
            problems.report(at: node.location, "'\(key)' \(error.message)", error.remedy)
            return nil
        }
    }
}
