/// What a client of `GET /v1/events` wants.
struct EventFilter: Equatable {
    /// Events of the past, at most this many.
    var replay = 0
    /// The state once a second, as `status` events.
    var status = false
    /// Connections and subflows opened and closed.
    var connections = true

    /// Reads `?replay=N&status=1&connections=0`.
    ///
    /// - Returns: what is wrong, when something is.
    static func parse(_ query: Query) -> Result<EventFilter, QueryError> {
        var filter = EventFilter()
        for (name, value) in query.items {
            switch name {
            case "replay":
                guard let count = Int(value), (0...EventLog.capacity).contains(count) else {
                    return .failure(QueryError("replay is a number from 0 to \(EventLog.capacity)"))
                }
                filter.replay = count
            case "status", "connections":
                guard value == "0" || value == "1" else { return .failure(QueryError("\(name) is 0 or 1")) }
                if name == "status" { filter.status = value == "1" } else { filter.connections = value == "1" }
            default: return .failure(QueryError("unknown parameter \"\(name.prefix(40))\""))
            }
        }
        return .success(filter)
    }
}
