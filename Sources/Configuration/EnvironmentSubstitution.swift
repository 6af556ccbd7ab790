import TOML

/// Replaces `${NAME}` in strings by the environment's value; `$${` stands for `${` itself.
struct EnvironmentSubstitution {
    let environment: [String: String]
    let problems: TOMLProblems

    func apply(_ table: TOMLTable) -> TOMLTable {
        var result = table
        for index in result.entries.indices { result.entries[index].node = apply(result.entries[index].node) }
        return result
    }

    private func apply(_ node: TOMLNode) -> TOMLNode {
        switch node.value {
        case .table(let table): return TOMLNode(.table(apply(table)), at: node.location)
        case .array(let elements): return TOMLNode(.array(elements.map(apply)), at: node.location)
        case .string(let text) where text.contains("${"):
            do throws(TOMLBadValue) {
                return TOMLNode(.string(try substitute(text)), at: node.location)
            } catch {
                problems.report(at: node.location, error.message, error.remedy)
                return TOMLNode(.unusable, at: node.location)
            }
        default: return node
        }
    }

    func substitute(_ text: String) throws(TOMLBadValue) -> String {
        var result = ""
        var rest = Substring(text)
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            let after = rest[rest.index(after: dollar)...]
            if after.hasPrefix("${") {
                result += "${"
                rest = after.dropFirst(2)
            } else if after.hasPrefix("{") {
                let inside = after.dropFirst()
                let name = inside.prefix { $0 != "}" }
                guard name.endIndex != inside.endIndex else {
                    throw TOMLBadValue("\"${\" is not closed", "write ${NAME}, or $${ for ${ itself")
                }
                guard isName(name) else {
                    throw TOMLBadValue(
                        "\"${\(name)}\" names no environment variable", "write ${NAME}, or $${ for ${ itself")
                }
                guard let value = environment[String(name)] else {
                    throw TOMLBadValue("the environment variable \(name) is not set", "set it, or write its value here")
                }
                result += value
                rest = inside[name.endIndex...].dropFirst()
            } else {
                result += "$"
                rest = after
            }
        }
        return result + rest
    }

    private func isName(_ name: Substring) -> Bool {
        guard let first = name.first, !first.isNumber else { return false }
        return name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    }
}
