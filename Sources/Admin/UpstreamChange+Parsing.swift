internal import FoundationEssentials

extension UpstreamChange {
    /// Reads `{"address": "mptcp://192.0.2.1:7143", "draining": true}`.
    static func parse(_ body: [UInt8]) -> Result<UpstreamChange, QueryError> {
        guard let change = try? JSONDecoder().decode(UpstreamChange.self, from: Data(body)) else {
            return .failure(
                QueryError(
                    "the body is {\"address\": \"an upstream as /v1/status has it\", \"draining\": true or false}"))
        }
        return .success(change)
    }
}
