internal import NIOCore
internal import NIOHTTP1

/// A request that has come whole.
struct Request {
    let head: HTTPRequestHead
    let body: [UInt8]
    let audience: Audience
    let caller: AdminCaller?
}

/// Where the answer to one request goes.
struct Reply {
    let client: ClientHandler
    let serial: UInt64

    func send(_ answer: Answer) { client.send(answer, to: serial) }
    func send(_ answer: CompleteAnswer) { client.send(.complete(answer), to: serial) }

    /// For the main thread's callbacks: the answer is sent on the server's loop.
    func later() -> @Sendable (CompleteAnswer) -> Void {
        let loop = client.site.loop
        let bound = NIOLoopBound(self, eventLoop: loop)
        return { answer in loop.execute { bound.value.send(answer) } }
    }
}
