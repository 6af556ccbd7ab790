public import Admin
internal import FoundationEssentials

extension AdminClient {
    /// Changes whether an upstream of a relay takes new connections, and answers it as it is then.
    public func change(upstreamOf relay: String, _ change: UpstreamChange) throws(AdminClientError) -> UpstreamView {
        let body: [UInt8]
        do {
            body = Array(try JSONEncoder().encode(change))
        } catch {
            throw .malformed(path: path, "\(error)")
        }
        return try decode(
            UpstreamView.self, try ask("PATCH", "/v1/relays/\(Self.escape(relay))/upstreams", body: body))
    }
}
