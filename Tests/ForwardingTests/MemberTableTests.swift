import LinuxSystem
import SystemPackage
import Testing

@testable import Forwarding

/// A table that expectations may change.
private final class Pool {
    private var table: MemberTable

    init(_ table: MemberTable) { self.table = table }

    var states: [MemberTable.State] { table.states }
    func choose(for client: SocketAddress, tried: [Int32], now: MonotonicTime) -> Int? {
        table.choose(for: client, tried: tried, now: now)
    }
    func failed(_ position: Int, now: MonotonicTime) -> Bool { table.failed(position, now: now) }
    func connected(_ position: Int) -> Bool { table.connected(position) }
    func enter(_ position: Int) { table.enter(position) }
    func leave(_ position: Int) { table.leave(position) }
    func set(_ members: [UpstreamMember], upstream: Int) { table.set(members, upstream: upstream) }
}

@Suite struct MemberTableTests {
    private static let second: UInt64 = 1_000_000_000
    private let start = MonotonicTime(nanoseconds: 1_000 * MemberTableTests.second)

    private func member(
        _ id: Int, tier: Int = 0, weight: Int = 1, since: MonotonicTime? = nil, upstream: Int = 0
    ) -> UpstreamMember {
        UpstreamMember(
            upstream: upstream, addresses: [], tier: tier, weight: weight, key: "192.0.2.\(id):7143",
            status: MemberStatus(id: id, startsSlowlyAt: since))
    }

    private func table(_ members: [UpstreamMember], _ balance: Balance, slowStart: UInt64 = 0) -> Pool {
        Pool(MemberTable(members, balance: balance, slowStart: slowStart))
    }

    private func client(_ number: Int) throws -> SocketAddress {
        try SocketAddress(parsing: "10.\(number >> 16 & 255).\(number >> 8 & 255).\(number & 255)", port: 40000)
    }

    /// How often each member is chosen, by id.
    private func shares(
        _ table: Pool, _ count: Int, at now: MonotonicTime, holding: Bool = false
    ) throws -> [Int: Int] {
        var shares: [Int: Int] = [:]
        for number in 0..<count {
            let position = try #require(table.choose(for: try client(number), tried: [], now: now))
            if holding { table.enter(position) }
            shares[table.states[position].member.status.id, default: 0] += 1
        }
        return shares
    }

    // MARK: failover

    @Test func failoverTakesTheFirstThatIsWell() throws {
        let members = [member(1, tier: 0), member(2, tier: 1), member(3, tier: 2)]
        let table = table(members, .failover)
        #expect(try shares(table, 10, at: start) == [1: 10])
        members[0].status.set(healthy: false, at: start)
        #expect(try shares(table, 10, at: start) == [2: 10])
        members[1].status.set(draining: true, at: start)
        #expect(try shares(table, 10, at: start) == [3: 10])
        members[0].status.set(healthy: true, at: start)
        #expect(try shares(table, 10, at: start) == [1: 10])
    }

    @Test func whatHasFailedTheConnectionIsNotTriedAgain() throws {
        let table = table([member(1, tier: 0), member(2, tier: 1)], .failover)
        let client = try client(1)
        #expect(table.choose(for: client, tried: [0], now: start) == 1)
        #expect(table.choose(for: client, tried: [1, 0], now: start) == nil)
    }

    @Test func theUnwellAreTriedWhenNobodyElseIsLeft() throws {
        let members = [member(1, tier: 0), member(2, tier: 1)]
        for member in members { member.status.set(healthy: false, at: start) }
        let table = table(members, .failover)
        #expect(table.choose(for: try client(1), tried: [], now: start) == 0)
        #expect(table.choose(for: try client(1), tried: [0], now: start) == 1)
    }

    @Test func aDrainingMemberGetsNothingEvenAlone() throws {
        let only = member(1)
        only.status.set(draining: true, at: start)
        let table = table([only], .failover)
        #expect(table.choose(for: try client(1), tried: [], now: start) == nil)
    }

    @Test func whoAsksToBeLeftAloneIsLeftAloneByAllLoops() throws {
        let members = [member(1, tier: 0), member(2, tier: 1)]
        let tables = [table(members, .failover), table(members, .failover)]
        members[0].status.rest(until: start + Self.second)
        for table in tables {
            #expect(try shares(table, 5, at: start) == [2: 5])
            #expect(try shares(table, 5, at: start + (Self.second - 1)) == [2: 5])
            #expect(try shares(table, 5, at: start + Self.second) == [1: 5])
            #expect(members[0].status.isWell && table.states[0].failures == 0)
        }
        members[1].status.rest(until: start + Self.second)
        #expect(tables[0].choose(for: try client(1), tried: [], now: start) == nil)
        let alone = table([members[0]], .failover)
        #expect(alone.choose(for: try client(1), tried: [], now: start) == nil)
    }

    @Test func withinATierFailoverGoesByWeight() throws {
        let table = table([member(1, weight: 30), member(2, weight: 10), member(3, weight: 0)], .failover)
        let shares = try shares(table, 4000, at: start)
        #expect(shares[3] == nil)
        // Five standard deviations either way.
        #expect(abs(shares[1, default: 0] - 3000) < 140, "\(shares)")
    }

    // MARK: Suspicion

    @Test func aMemberThatFailedIsLeftAloneAndThenTriedByOne() throws {
        let table = table([member(1, tier: 0), member(2, tier: 1)], .failover)
        #expect(table.failed(0, now: start))
        #expect(!table.failed(0, now: start + 1000), "those under way at the same time are no news")
        #expect(try shares(table, 5, at: start + Self.second / 2) == [2: 5])
        // One tries it; the others stay away until that one is back.
        let later = start + Self.second + 1
        #expect(table.choose(for: try client(1), tried: [], now: later) == 0)
        #expect(table.choose(for: try client(1), tried: [], now: later) == 1)
        // It failed again: twice as long.
        #expect(table.failed(0, now: later))
        #expect(try shares(table, 5, at: later + (Self.second * 2 - 1)) == [2: 5])
        #expect(table.choose(for: try client(1), tried: [], now: later + Self.second * 2) == 0)
        #expect(table.connected(0))
        #expect(!table.connected(0))
        #expect(try shares(table, 5, at: later + Self.second * 2) == [1: 5])
    }

    @Test func suspicionDoesNotGrowWithoutEnd() throws {
        let table = table([member(1, tier: 0), member(2, tier: 1)], .failover)
        var now = start
        for _ in 0..<200 {
            _ = table.failed(0, now: now)
            now = now + MemberTable.longestSuspicion
            #expect(table.choose(for: try client(1), tried: [], now: now) == 0)
        }
    }

    @Test func aRecoverySeenByTheChecksEndsTheSuspicion() throws {
        let first = member(1, tier: 0)
        let table = table([first, member(2, tier: 1)], .failover)
        _ = table.failed(0, now: start)
        first.status.set(healthy: false, at: start)
        first.status.set(healthy: true, at: start + 1000)
        #expect(table.choose(for: try client(1), tried: [], now: start + 2000) == 0)
    }

    // MARK: round-robin

    @Test func roundRobinIsEvenAndSmooth() throws {
        let table = table([member(1, weight: 1), member(2, weight: 1), member(3, weight: 2)], .roundRobin)
        var order: [Int] = []
        for _ in 0..<8 {
            let position = try #require(table.choose(for: try client(1), tried: [], now: start))
            order.append(table.states[position].member.status.id)
        }
        #expect(order[..<4].sorted() == [1, 2, 3, 3])
        #expect(order[4...].sorted() == [1, 2, 3, 3])
        #expect(zip(order, order.dropFirst()).allSatisfy { $0 != $1 } || order.prefix(4).count { $0 == 3 } == 2)
    }

    @Test func roundRobinLeavesTheUnwellOutAndTakesThemBack() throws {
        let members = [member(1), member(2), member(3)]
        let table = table(members, .roundRobin)
        members[1].status.set(healthy: false, at: start)
        #expect(try shares(table, 100, at: start) == [1: 50, 3: 50])
        members[1].status.set(healthy: true, at: start)
        #expect(try shares(table, 99, at: start) == [1: 33, 2: 33, 3: 33])
    }

    @Test func slowStartGivesAGrowingShare() throws {
        let members = [member(1), member(2, since: start)]
        let table = table(members, .roundRobin, slowStart: 10 * Self.second)
        let atOnce = try shares(table, 110, at: start)[2, default: 0]
        #expect((9...11).contains(atOnce), "a tenth of the other's: \(atOnce)")
        let half = try shares(table, 150, at: start + 5 * Self.second)[2, default: 0]
        #expect((48...52).contains(half), "half of the other's: \(half)")
        let full = try shares(table, 100, at: start + 10 * Self.second)[2, default: 0]
        #expect((49...51).contains(full))
    }

    // MARK: least-connections

    @Test func leastConnectionsLooksAtAllLoops() throws {
        let members = [member(1), member(2), member(3)]
        let here = table(members, .leastConnections)
        let there = table(members, .leastConnections)
        for _ in 0..<10 { there.enter(0) }
        for _ in 0..<4 { there.enter(1) }
        #expect(try shares(here, 16, at: start, holding: true) == [1: 0, 2: 6, 3: 10].filter { $0.value > 0 })
        #expect(members.map(\.status.connections) == [10, 10, 10])
        for _ in 0..<10 { there.leave(0) }
        #expect(try shares(here, 5, at: start, holding: true) == [1: 5])
    }

    @Test func leastConnectionsHeedsWeightAndTakesTurnsAmongEquals() throws {
        let weighted = table([member(1, weight: 3), member(2, weight: 1)], .leastConnections)
        #expect(try shares(weighted, 40, at: start, holding: true)[1] == 30)
        let equal = table([member(1), member(2), member(3)], .leastConnections)
        #expect(try shares(equal, 30, at: start) == [1: 10, 2: 10, 3: 10])
    }

    // MARK: source-hash

    @Test func aClientComesBackWhateverItsPortAndFamily() throws {
        let table = table((1...5).map { member($0) }, .sourceHash)
        for number in 0..<200 {
            let plain = try client(number)
            let other = plain.with(port: 50000)
            let mapped = try SocketAddress(parsing: "::ffff:\(plain.host)", port: 1)
            let position = table.choose(for: plain, tried: [], now: start)
            #expect(table.choose(for: other, tried: [], now: start) == position)
            #expect(table.choose(for: mapped, tried: [], now: start) == position)
        }
    }

    /// 10,000 clients: the share of each member within 5 % of the whole, and only the clients of one that leaves move.
    @Test(arguments: [2, 3, 5, 10, 50])
    func fewClientsMoveWhenAMemberLeavesAndComesBack(count: Int) throws {
        let members = (1...count).map { member($0) }
        let table = table(members, .sourceHash)
        func places(_ table: Pool) throws -> [Int] {
            try (0..<10_000).map { number in
                let position = try #require(table.choose(for: try client(number), tried: [], now: start))
                return table.states[position].member.status.id
            }
        }
        let before = try places(table)
        for id in 1...count {
            let share = Double(before.count { $0 == id }) / 10_000
            #expect(abs(share - 1 / Double(count)) < 0.05)
        }
        members[0].status.set(healthy: false, at: start)
        let without = try places(table)
        let moved = zip(before, without).count { $0 != $1 }
        #expect(moved == before.count { $0 == 1 }, "only its own clients move")
        #expect(Double(moved) / 10_000 <= 1 / Double(count) + 0.05)
        members[0].status.set(healthy: true, at: start)
        #expect(try places(table) == before)
        // A new one takes its share from all, and nobody moves between the old.
        table.set(members + [member(count + 1)], upstream: 0)
        let with = try places(table)
        #expect(zip(before, with).allSatisfy { $0 == $1 || $1 == count + 1 })
        #expect(Double(with.count { $0 == count + 1 }) / 10_000 <= 1 / Double(count + 1) + 0.05)
    }

    @Test func theHashIsTheSameEverywhere() throws {
        // Fixed for ever: near ends of different versions must agree.
        #expect(SourceHash.hash("192.0.2.1:7143".utf8) == SourceHash.hash(Array("192.0.2.1:7143".utf8)))
        let table = table((1...5).map { member($0) }, .sourceHash)
        let chosen = try (0..<10).map { try #require(table.choose(for: try client($0), tried: [], now: start)) }
        #expect(chosen == [3, 4, 2, 0, 1, 1, 4, 3, 3, 2])
    }

    // MARK: Members that come and go

    @Test func aPositionStaysWithItsConnections() throws {
        let first = member(1)
        let table = table([first, member(2)], .roundRobin)
        table.enter(0)
        table.set([member(3), member(4)], upstream: 0)
        #expect(table.states[0].isRetired)
        #expect(table.states[0].member.status === first.status)
        #expect(Set(try shares(table, 10, at: start).keys) == [3, 4])
        table.leave(0)
        #expect(first.status.connections == 0)
        table.set([member(5)], upstream: 0)
        #expect(Set(try shares(table, 10, at: start).keys) == [5])
        #expect(table.states.count <= 3, "places are used again")
    }

    @Test func onlyTheMembersOfOneUpstreamChange() throws {
        let table = table([member(1, tier: 0, upstream: 0), member(2, tier: 1, upstream: 1)], .failover)
        table.set([], upstream: 0)
        #expect(try shares(table, 3, at: start) == [2: 3])
        table.set([member(3, tier: 0, upstream: 0)], upstream: 0)
        #expect(try shares(table, 3, at: start) == [3: 3])
    }
}
