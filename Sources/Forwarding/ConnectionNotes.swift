/// What is remembered of a connection's handshake once it relays: for its record. Connections without a handshake have none.
public final class ConnectionNotes: Sendable {
    /// Where the client wanted to go: `HOST:PORT`, as it said it.
    public let destination: String?
    /// Who the client said it is, if that was checked.
    public let user: String?
    /// Why it was not served, in words.
    public let refusal: String?

    init(destination: String? = nil, user: String? = nil, refusal: String? = nil) {
        self.destination = destination
        self.user = user
        self.refusal = refusal
    }
}
