import TOML

/// Puts the tables of several files together: sections key by key, lists of tables one after another.
struct TableMerge {
    let problems: TOMLProblems

    /// Adds the entries of one file to those of the files before it.
    ///
    /// - Parameter section: what `table` is called; nil for the top level.
    func merge(_ addition: TOMLTable, into table: inout TOMLTable, section: String?) {
        var places: [String: Int] = [:]
        for (index, entry) in table.entries.enumerated() { places[entry.key] = index }
        for entry in addition.entries {
            guard let index = places[entry.key] else {
                table.entries.append(entry)
                continue
            }
            let existing = table.entries[index]
            switch (existing.node.value, entry.node.value) {
            case (.table(var inner), .table(let more)):
                merge(more, into: &inner, section: entry.key)
                table.entries[index].node.value = .table(inner)
            case (.array(let first), .array(let second)) where areTables(first) && areTables(second):
                table.entries[index].node.value = .array(first + second)
            case _ where section == nil && entry.key == "include":
                // Each file may include others; they have been read.
                continue
            default:
                let place = existing.keyLocation
                let name = section.map { " in [\($0)]" } ?? ""
                problems.report(
                    at: entry.keyLocation, "'\(entry.key)'\(name) is already set at \(place.source):\(place.line)",
                    "remove one of the two")
            }
        }
    }

    private func areTables(_ nodes: [TOMLNode]) -> Bool {
        nodes.allSatisfy { if case .table = $0.value { true } else { false } }
    }
}
