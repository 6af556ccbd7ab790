internal import FoundationEssentials

extension LinkRoleChange {
    /// Reads `{"backup": true, "up": false}`, either of them.
    static func parse(_ body: [UInt8]) -> Result<LinkRoleChange, QueryError> {
        let form = QueryError("the body is {\"backup\": true or false} or {\"up\": true or false}, or both")
        guard let members = try? JSONDecoder().decode([String: Bool].self, from: Data(body)) else {
            return .failure(form)
        }
        var change = LinkRoleChange()
        for (name, value) in members {
            switch name {
            case "backup": change.backup = value
            case "up": change.up = value
            default: return .failure(QueryError("unknown member \"\(name.prefix(40))\"; \(form.message)"))
            }
        }
        return members.isEmpty ? .failure(form) : .success(change)
    }
}
