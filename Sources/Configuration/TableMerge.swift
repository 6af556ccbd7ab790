import TOML

/// Puts the tables of several files together: sections key by key, lists of tables one after another.
struct TableMerge {
    let problems: TOMLProblems

    func merge(_ addition: TOMLTable, into table: inout TOMLTable, name: String) {
        for entry in addition.entries {
            guard let index = table.entries.firstIndex(where: { $0.key == entry.key }) else {
                table.entries.append(entry)
                continue
            }
            let existing = table.entries[index]
            switch (existing.node.value, entry.node.value) {
            case (.table(var inner), .table(let more)):
                merge(more, into: &inner, name: "[\(entry.key)]")
                table.entries[index].node.value = .table(inner)
            case (.array(let first), .array(let second)) where areTables(first) && areTables(second):
                table.entries[index].node.value = .array(first + second)
            default:
                // Each file may include others.
                if entry.key == "include", name == "the top level" { continue }
                let place = existing.keyLocation
                problems.report(
                    at: entry.keyLocation, "'\(entry.key)' in \(name) is already set at \(place.source):\(place.line)",
                    "remove one of the two")
            }
        }
    }

    private func areTables(_ nodes: [TOMLNode]) -> Bool {
        nodes.allSatisfy { if case .table = $0.value { true } else { false } }
    }
}
