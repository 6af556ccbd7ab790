import LinuxSystem
import MultipathTCP
import SystemPackage
import Testing

@testable import Forwarding

@Suite struct ListingTests {
    @Test func everyConnectionIsListedOnceInParts() throws {
        let loop = try RunningLoop(index: 3)
        let sockets = try (0..<200).map { _ in SocketBox(try loop.connect()) }
        #expect(try sockets[0].socket.write([1, 2, 3]) == 3)
        try StreamPair.await_(sockets[0].socket.raw, .readable)
        // A client may be connected before the loop has accepted it.
        let deadline = ContinuousClock.now + .seconds(20)
        while loop.shared.connections < 200 {
            try #require(ContinuousClock.now < deadline, "\(loop.shared.connections) of 200 connections")
            // What is reported is of no interest, and nothing may be: then it is looked again.
            _ = try? loop.report(within: .milliseconds(100)) { _ in Optional(()) }
        }
        let parts = try loop.list(request: 7)
        #expect(parts.allSatisfy { $0.count <= 64 })
        let all = parts.flatMap { $0 }
        #expect(Set(all.map(\.id)).count == 200)
        #expect(all.count == 200)
        #expect(all.allSatisfy { LoopShared.index(ofConnection: $0.id) == 3 && $0.relay == 0 && $0.state == .relaying })
        let busy = try #require(all.first { $0.bytesUp == 3 })
        #expect(busy.bytesDown == 3)
        #expect(busy.client == (try sockets[0].socket.localAddress()))
        #expect(busy.multipath == .no)
        #expect(busy.subflows.isEmpty)
    }

    @Test func anEmptyLoopAnswersOneEmptyPart() throws {
        let loop = try RunningLoop()
        let parts = try loop.list(request: 1)
        #expect(parts.count == 1)
        #expect(parts[0].isEmpty)
    }

    @Test func aMultipathClientIsListedWithItsSubflow() throws {
        let loop = try RunningLoop(listen: .mptcp)
        let client = try loop.connect(.mptcp)
        _ = try client.write([1])
        try StreamPair.await_(client.raw, .readable)
        let connection = try #require(try loop.list(request: 1).flatMap { $0 }.first)
        #expect(connection.multipath == .yes)
        #expect(connection.notMultipathReason == nil)
        let subflow = try #require(connection.subflows.first)
        #expect(subflow.leg == .client)
        #expect(subflow.local == loop.address)
        #expect(subflow.remote == (try client.localAddress()))
        #expect(subflow.isBackup == false)
        #expect(subflow.state == .established)
        #expect(subflow.bytesReceived == 1)
    }

    @Test func closingEndsThatConnectionAndNoOther() throws {
        let loop = try RunningLoop()
        let first = try loop.connect()
        let second = try loop.connect()
        _ = try first.write([1])
        try StreamPair.await_(first.raw, .readable)
        _ = try second.write([1, 2])
        try StreamPair.await_(second.raw, .readable)
        let id = try #require(try loop.list(request: 1).flatMap { $0 }.first { $0.bytesUp == 1 }).id
        loop.shared.send(.close(connection: id))
        var result: ConnectionResult?
        let found = try loop.report { report -> Bool? in
            switch report {
            case .connectionEnded(let record) where record.id == id:
                result = record.result
                return nil
            case .closeAnswered(id, let found): return found
            default: return nil
            }
        }
        #expect(found)
        #expect(result == .closedByOperator)
        loop.shared.send(.close(connection: id))
        #expect(
            try loop.report { report -> Bool? in
                guard case .closeAnswered(id, let found) = report else { return nil }
                return !found
            })
        #expect(try loop.list(request: 2).flatMap { $0 }.map(\.bytesUp) == [2])
    }
}

/// A socket in an array.
final class SocketBox {
    let socket: Socket
    init(_ socket: consuming Socket) { self.socket = socket }
}
