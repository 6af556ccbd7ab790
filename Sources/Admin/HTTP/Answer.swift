internal import NIOCore
internal import NIOHTTP1

/// The answer to a request.
enum Answer {
    /// All of it.
    case complete(CompleteAnswer)
    /// The connections, streamed as the loops list them.
    case connections(ConnectionListing)
    /// Server-sent events until either side ends.
    case events(EventFilter)
}

/// An answer whose body is there.
struct CompleteAnswer: Sendable {
    var status: HTTPResponseStatus
    var contentType: String
    var body: [UInt8]
    var headers: [(name: String, value: String)] = []

    init(
        _ status: HTTPResponseStatus, _ contentType: String, _ body: [UInt8],
        headers: [(name: String, value: String)] = []
    ) {
        self.status = status
        self.contentType = contentType
        self.body = body
        self.headers = headers
    }

    static func json(_ value: some JSONWritable, status: HTTPResponseStatus = .ok) -> CompleteAnswer {
        CompleteAnswer(status, "application/json", value.document)
    }

    static func text(_ text: String, status: HTTPResponseStatus = .ok) -> CompleteAnswer {
        CompleteAnswer(status, "text/plain; charset=utf-8", Array((text + "\n").utf8))
    }

    /// A refusal or failure: `{"error": "…"}`.
    static func error(
        _ status: HTTPResponseStatus, _ message: String, headers: [(name: String, value: String)] = []
    ) -> CompleteAnswer {
        var answer = json(ErrorView(error: message), status: status)
        answer.headers = headers
        return answer
    }

    static let busy = error(
        .serviceUnavailable, "too many requests wait for the daemon; try again", headers: [("Retry-After", "1")])
}

private struct ErrorView: JSONWritable {
    let error: String

    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.member("error", error)
        json.endObject()
    }
}
