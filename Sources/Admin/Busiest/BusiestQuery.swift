/// Which connections `GET /v1/busiest` is asked for.
struct BusiestQuery: Hashable {
    enum Order: String {
        case rate, bytes, age, id
    }

    static let maximumLimit = 1000

    var limit = 100
    var order = Order.rate
    /// Lower case; in relay, addresses, links, or the id.
    var search = ""

    /// Reads `?limit=N&sort=rate|bytes|age|id&search=TEXT`.
    static func parse(_ query: Query) -> Result<BusiestQuery, QueryError> {
        var busiest = BusiestQuery()
        for (name, value) in query.items {
            switch name {
            case "limit":
                guard let limit = Int(value), (1...maximumLimit).contains(limit) else {
                    return .failure(QueryError("limit is a number from 1 to \(maximumLimit)"))
                }
                busiest.limit = limit
            case "sort":
                guard let order = Order(rawValue: value) else {
                    return .failure(QueryError("sort is rate, bytes, age or id"))
                }
                busiest.order = order
            case "search":
                guard value.utf8.count <= 200 else { return .failure(QueryError("search has at most 200 bytes")) }
                busiest.search = value.lowercased()
            default: return .failure(QueryError("unknown parameter \"\(name.prefix(40))\""))
            }
        }
        return .success(busiest)
    }

    func matches(_ row: ConnectionView) -> Bool {
        if search.isEmpty { return true }
        func has(_ text: String?) -> Bool { text?.lowercased().contains(search) ?? false }
        return has(row.relay) || has(row.client) || has(row.upstream) || has(row.destination) || has(row.multipath)
            || "\(row.id)" == search
            || row.subflows.contains { has($0.link) || has($0.local) || has($0.remote) }
    }
}
