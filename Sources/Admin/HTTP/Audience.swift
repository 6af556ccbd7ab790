/// Where a client came in, which decides what it may ask for.
enum Audience: Sendable {
    /// The Unix socket: everything.
    case owner
    /// `admin.http`, or `dashboard://` inside a relay: what changes nothing.
    case reader
}
