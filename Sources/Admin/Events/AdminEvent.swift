/// Something that happened, for `GET /v1/events` and the dashboard.
public struct AdminEvent: Sendable {
    /// The kinds: the `event:` of the stream.
    public enum Kind: String, Sendable, CaseIterable {
        case connectionOpened = "connection-opened"
        case connectionClosed = "connection-closed"
        case linkUp = "link-up"
        case linkDown = "link-down"
        case linkBackup = "link-backup"
        case linkPrimary = "link-primary"
        case subflowOpened = "subflow-opened"
        case subflowClosed = "subflow-closed"
        case subflowStalled = "subflow-stalled"
        case upstreamUp = "upstream-up"
        case upstreamDown = "upstream-down"
        case fallback
        case reload
        case stopping

        /// So many of these may come that they are made only while somebody listens, and not kept.
        public var isFrequent: Bool {
            switch self {
            case .connectionOpened, .connectionClosed, .subflowOpened, .subflowClosed: true
            default: false
            }
        }
    }

    /// A field's value.
    public enum Value: Sendable, Equatable {
        case text(String)
        case number(UInt64)
        /// Nanoseconds, written as seconds.
        case seconds(UInt64)
        case flag(Bool)
    }

    /// What happened.
    public var kind: Kind
    /// One sentence for people.
    public var message: String
    /// Members of the event's JSON object, besides `time` and `message`.
    public var fields: [(name: StaticString, value: Value)]

    /// An event of these parts.
    public init(_ kind: Kind, _ message: String, _ fields: [(name: StaticString, value: Value)] = []) {
        self.kind = kind
        self.message = message
        self.fields = fields
    }
}
