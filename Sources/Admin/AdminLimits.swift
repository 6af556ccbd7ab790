internal import NIOCore

/// How much of everything clients may have. Nothing that they do may cost relays anything or memory without bound.
enum AdminLimits {
    /// Header fields of a request.
    static let headerFields = 64
    /// Bytes of one header field, and of the request line.
    static let headerField = 8 << 10
    /// Bytes of all header fields.
    static let headers = 16 << 10
    /// Bytes of a request's body.
    static let body = 8 << 10
    /// A request must have come whole this long after the connection was made, or after the last answer.
    static let request = TimeAmount.seconds(15)
    /// The main thread must have answered by then.
    static let answer = TimeAmount.seconds(10)
    /// A client that reads must make room in that time.
    static let stalledReader = TimeAmount.seconds(20)
    /// An answer that is not an event stream must have been taken by then.
    static let transfer = TimeAmount.seconds(120)
    /// Bytes that may wait in a client's channel before more is written.
    static let writeHighWater = 128 << 10
    static let writeLowWater = 32 << 10
    /// Event streams at once.
    static let eventStreams = 64
    /// Lists of connections under way or kept for others at once.
    static let listings = 4
    /// How long a complete list of connections is given to others who ask for the same.
    static let listingFreshness = TimeAmount.milliseconds(500)
}
