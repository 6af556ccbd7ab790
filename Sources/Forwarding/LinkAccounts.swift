internal import LinuxSystem
internal import MultipathTCP

/// A loop's book of what its legs have done over each local address, and so over each link.
///
/// The kernel's numbers are those of a subflow's whole life. An account remembers how much of them is booked already, so that
/// nothing is booked twice: one for each subflow of a leg that was looked at before its end, chained from the leg.
struct LinkAccounts: ~Copyable {
    /// A local address that subflows have.
    struct Local {
        /// Without port.
        var address: SocketAddress
        /// Index in `links`, -1 when it belongs to none.
        var link = -1
        /// Accounts with this address.
        var subflows = 0
        /// Segments sent of late, and how many of them again: what is lost by chance here.
        var segments: UInt64 = 0
        var retransmits: UInt64 = 0
        /// When an acknowledgement came here last, as far as was looked.
        var lastAcknowledgement = MonotonicTime(nanoseconds: 0)
    }

    private struct Account {
        var id: UInt32
        var next: Int32
        var bytesSent: UInt64
        var bytesReceived: UInt64
        var segmentsSent: UInt32
        var retransmits: UInt32
        /// The low bits suffice to see whether it has moved.
        var acknowledged: UInt32
        var local: UInt8
        var isSeen: Bool
    }

    private struct Link {
        let id: Int
        let block: CounterBlocks.Block
        var counters: LinkCounters
        var isDirty = false
    }

    private static let none: Int32 = -1
    /// The last local address is for all that have no place of their own.
    private static let localsAtMost = 32

    private(set) var locals: [Local] = []
    private var links: [Link] = []
    private var candidates: [LinkCandidate] = []
    private var accounts: [Account] = []
    private var free: Int32 = LinkAccounts.none
    private var isDirty = false

    // MARK: Links

    /// Takes new links; what was counted for those that stay, or that were there before, goes on.
    mutating func set(_ candidates: [LinkCandidate], _ blocks: CounterBlocks) {
        self.candidates = candidates
        for candidate in candidates where !links.contains(where: { $0.id == candidate.id }) {
            links.append(
                Link(
                    id: candidate.id, block: blocks.block(link: candidate.id), counters: blocks.read(link: candidate.id)
                ))
        }
        for index in locals.indices { locals[index].link = linkIndex(of: locals[index].address) }
        for index in links.indices {
            links[index].counters.subflows = 0
            links[index].isDirty = true
        }
        for local in locals where local.link >= 0 { links[local.link].counters.subflows += UInt64(local.subflows) }
        isDirty = true
    }

    private func linkIndex(of address: SocketAddress) -> Int {
        for candidate in candidates
        where candidate.ipv4?.with(port: 0) == address || candidate.ipv6?.with(port: 0) == address {
            return links.firstIndex { $0.id == candidate.id } ?? -1
        }
        return -1
    }

    /// The round-trip time of a link of late in nanoseconds, 0 before it was measured.
    func roundTrip(link id: Int) -> UInt64 {
        for link in links where link.id == id { return link.counters.roundTripMicroseconds &* 1000 }
        return 0
    }

    // MARK: Booking

    /// The place of a subflow's local address in `locals`.
    mutating func local(of subflow: Subflow) -> Int {
        let address = subflow.local.unmapped.with(port: 0)
        for index in locals.indices where locals[index].address == address { return index }
        let new = Local(address: address, link: linkIndex(of: address))
        if locals.count < Self.localsAtMost {
            locals.append(new)
            return locals.count - 1
        }
        // Addresses that come and go, as IPv6 privacy addresses do, must not fill the table for ever.
        for index in locals.indices.dropLast() where locals[index].subflows == 0 && locals[index].link < 0 {
            locals[index] = new
            return index
        }
        return Self.localsAtMost - 1
    }

    /// Books what a leg's subflows have done since the last time.
    ///
    /// - Parameters:
    ///   - head: the leg's first account, -1 without one.
    ///   - reader: has just read the leg.
    ///   - isLast: the leg ends: no account is left.
    /// - Returns: the leg's first account from here on.
    mutating func book(_ head: Int32, _ reader: borrowing SubflowReader, isLast: Bool, now: MonotonicTime) -> Int32 {
        var head = head
        for index in 0..<reader.count {
            let subflow = reader[index]
            guard subflow.isInUse else { continue }
            let known = find(subflow.id ?? 0, from: head)
            if known == Self.none {
                let place = local(of: subflow)
                book(subflow, place, since: nil, now)
                if !isLast { head = open(subflow, place, before: head) }
            } else {
                book(subflow, Int(accounts[Int(known)].local), since: accounts[Int(known)], now)
                bring(known, upTo: subflow)
            }
        }
        return sweep(head, all: isLast)
    }

    /// Ends a leg's accounts without a last look.
    mutating func close(_ head: Int32) {
        _ = sweep(head, all: true)
    }

    private mutating func book(_ subflow: Subflow, _ place: Int, since account: Account?, _ now: MonotonicTime) {
        let tcp = subflow.tcp
        let segments = UInt64(tcp.segmentsSent &- (account?.segmentsSent ?? 0))
        let retransmits = UInt64(tcp.retransmits &- (account?.retransmits ?? 0))
        let hasMoved = UInt32(truncatingIfNeeded: tcp.bytesAcknowledged) != account?.acknowledged
        // What is sent again and again into a dead link is not lost by chance.
        if hasMoved {
            locals[place].segments += segments
            locals[place].retransmits += retransmits
            if locals[place].segments > 20_000 {
                locals[place].segments /= 2
                locals[place].retransmits /= 2
            }
        }
        let link = locals[place].link
        guard link >= 0 else { return }
        links[link].counters.bytesSent &+= tcp.bytesSent &- (account?.bytesSent ?? 0)
        links[link].counters.bytesReceived &+= tcp.bytesReceived &- (account?.bytesReceived ?? 0)
        links[link].counters.segmentsSent &+= segments
        links[link].counters.retransmits &+= retransmits
        if hasMoved, tcp.roundTripMicroseconds > 0 {
            let before = links[link].counters.roundTripMicroseconds
            let sample = UInt64(tcp.roundTripMicroseconds)
            links[link].counters.roundTripMicroseconds = before == 0 ? sample : (before * 7 + sample + 4) / 8
        }
        links[link].isDirty = true
        isDirty = true
    }

    // MARK: Accounts

    private func find(_ id: UInt32, from head: Int32) -> Int32 {
        // Without a number it is plain TCP: what the only subflow of a connection becomes by a fallback.
        if id == 0 { return head }
        var index = head
        while index != Self.none, accounts[Int(index)].id != id { index = accounts[Int(index)].next }
        return index
    }

    private mutating func open(_ subflow: Subflow, _ place: Int, before next: Int32) -> Int32 {
        let account = Account(
            id: subflow.id ?? 0, next: next, bytesSent: 0, bytesReceived: 0, segmentsSent: 0, retransmits: 0,
            acknowledged: 0, local: UInt8(place), isSeen: true)
        let index: Int32
        if free == Self.none {
            index = Int32(accounts.count)
            accounts.append(account)
        } else {
            index = free
            free = accounts[Int(index)].next
            accounts[Int(index)] = account
        }
        bring(index, upTo: subflow)
        count(place, 1)
        return index
    }

    private mutating func bring(_ index: Int32, upTo subflow: Subflow) {
        accounts[Int(index)].bytesSent = subflow.tcp.bytesSent
        accounts[Int(index)].bytesReceived = subflow.tcp.bytesReceived
        accounts[Int(index)].segmentsSent = subflow.tcp.segmentsSent
        accounts[Int(index)].retransmits = subflow.tcp.retransmits
        accounts[Int(index)].acknowledged = UInt32(truncatingIfNeeded: subflow.tcp.bytesAcknowledged)
        accounts[Int(index)].isSeen = true
    }

    /// Ends the accounts of subflows that are gone, or all.
    private mutating func sweep(_ head: Int32, all: Bool) -> Int32 {
        var kept = Self.none
        var index = head
        while index != Self.none {
            let next = accounts[Int(index)].next
            if accounts[Int(index)].isSeen, !all {
                accounts[Int(index)].isSeen = false
                accounts[Int(index)].next = kept
                kept = index
            } else {
                count(Int(accounts[Int(index)].local), -1)
                accounts[Int(index)].next = free
                free = index
            }
            index = next
        }
        return kept
    }

    private mutating func count(_ place: Int, _ change: Int) {
        locals[place].subflows += change
        let link = locals[place].link
        guard link >= 0 else { return }
        links[link].counters.subflows &+= UInt64(bitPattern: Int64(change))
        links[link].isDirty = true
        isDirty = true
    }

    /// An acknowledgement came to a local address then.
    mutating func acknowledged(_ place: Int, at time: MonotonicTime) {
        if time > locals[place].lastAcknowledgement { locals[place].lastAcknowledgement = time }
    }

    /// Makes the counters visible to other threads.
    ///
    /// - Returns: whether they have changed.
    mutating func publish() -> Bool {
        guard isDirty else { return false }
        isDirty = false
        for index in links.indices where links[index].isDirty {
            links[index].isDirty = false
            links[index].block.publish(links[index].counters)
        }
        return true
    }
}
