internal import LinuxSystem
internal import MultipathTCP
internal import SystemPackage

/// Measures the subflows of bulk connections while their data moves, or waits to be acknowledged. It has no timer of its own:
/// every measurement is made when an event has moved data, or when the leg is looked at by the clock anyway, at most ten times a
/// second for each connection; idle connections are not in it.
struct QualityWatch: ~Copyable {
    private var finder = BulkFinder()
    /// By place: what is watched, and beside it the little that every event has to look at.
    private var watched: [WatchedConnection] = []
    private var keys: [UInt32] = []
    private var measured: [MonotonicTime] = []
    private var reader = SubflowReader(capacity: 16)
    private var pending: PathQuality?
    private var lastReport = MonotonicTime(nanoseconds: 0)
    /// Bounds what bulk connections have in the kernel, once it was begun.
    var queues = SendQueue()
    /// The sides of connections, open and measured or not, whose bound was set here: it has to be followed.
    private var bounded: Set<UInt64> = []

    /// Notes what an event moved.
    ///
    /// - Returns: whether the connection is to be measured now.
    mutating func isDue(_ slot: UInt32, _ bytes: UInt64, now: MonotonicTime) -> Bool {
        var index = 0
        while index < keys.count {
            if keys[index] >> 1 == slot { return now.since(measured[index]) >= Tuning.qualityInterval }
            index += 1
        }
        return finder.note(slot, bytes, now: now)
    }

    /// Whether a connection that is measured has not been for long.
    func isOverdue(_ slot: UInt32, now: MonotonicTime) -> Bool {
        var index = 0
        while index < keys.count {
            if keys[index] >> 1 == slot { return now.since(measured[index]) >= 2 * Tuning.qualityInterval }
            index += 1
        }
        return false
    }

    /// One side of a connection, to be measured.
    struct Subject {
        var slot: UInt32
        var side: SideName
        var id: UInt64
        var raw: CInt
        /// Its subflows' links matter: it was dialled.
        var isDialled: Bool
        /// Its congestion control is to be chosen.
        var choosesCongestion: Bool
        /// It is MPTCP: what it queues may be limited.
        var isMultipath: Bool

        var key: UInt32 { slot << 1 | side.rawValue }
        /// The same for good: slots are used again.
        var lasting: UInt64 { QualityWatch.lasting(id, side) }
    }

    /// What came of a measurement.
    struct Outcome {
        var report: PathQuality?
        /// The congestion control could not be set.
        var refusal: Errno?
    }

    mutating func measure(_ subject: Subject, ranking: LinkRanking, now: MonotonicTime) -> Outcome {
        dropStale(now, keeping: subject.slot)
        var outcome = Outcome()
        let count: Int
        do throws(Errno) {
            count = try reader.read(subject.raw)
        } catch {
            return outcome
        }
        let delivered = (reader.info?.bytesAcknowledged ?? 0) &+ (reader.info?.bytesReceived ?? 0)
        guard let index = keys.firstIndex(of: subject.key), watched[index].id == subject.id else {
            begin(subject, count, delivered, now)
            return outcome
        }
        let moved = delivered &- watched[index].delivered
        let span = now.since(measured[index])
        watched[index].delivered = delivered
        measured[index] = now
        limitQueue(index, subject, count)
        guard subject.isDialled else {
            for position in 0..<count { _ = follow(index, position, subject.raw, &outcome) }
            return outcome
        }
        var report = pending ?? PathQuality(at: now, span: 0, connections: 0)
        report.at = now
        report.span = max(report.span, span)
        report.connections = watched.count
        report.delivered &+= moved
        let peer = report.peer(count > 0 ? reader[0].remote : .none)
        report.peers[peer].delivered &+= moved
        for position in 0..<count {
            let subflow = reader[position]
            let difference = follow(index, position, subject.raw, &outcome)
            guard let link = ranking.link(of: subflow.local) else { continue }
            let lossSlowsDown = watched[index].lossSlowsDown
            PathQuality.add(link, difference, subflow.tcp, lossSlowsDown, to: &report.links)
            PathQuality.add(link, difference, subflow.tcp, lossSlowsDown, to: &report.peers[peer].links)
        }
        if now.since(lastReport) < Tuning.qualityInterval {
            pending = report
        } else {
            pending = nil
            lastReport = now
            outcome.report = report
        }
        return outcome
    }

    /// A connection has ended.
    ///
    /// - Returns: a report when it was the last that was measured.
    mutating func ended(_ slot: UInt32, id: UInt64, now: MonotonicTime) -> PathQuality? {
        if !bounded.isEmpty {
            bounded.remove(Self.lasting(id, .client))
            bounded.remove(Self.lasting(id, .upstream))
        }
        guard !keys.isEmpty else { return nil }
        var index = keys.count
        while index > 0 {
            index -= 1
            if keys[index] >> 1 == slot { remove(at: index) }
        }
        guard keys.isEmpty else { return nil }
        pending = nil
        return PathQuality(at: now, span: 0, connections: 0)
    }

    private mutating func begin(_ subject: Subject, _ count: Int, _ delivered: UInt64, _ now: MonotonicTime) {
        if let former = keys.firstIndex(of: subject.key) { remove(at: former) }
        guard keys.count < Tuning.qualityConnections || bounded.contains(subject.lasting) else { return }
        let isRateBased = CongestionControl.isRateBased(subject.raw)
        var connection = WatchedConnection(
            id: subject.id, delivered: delivered, lossSlowsDown: !isRateBased,
            choosesCongestion: subject.choosesCongestion && !isRateBased, queue: queue(subject))
        for position in 0..<count { _ = connection.difference(reader[position]) }
        watched.append(connection)
        keys.append(subject.key)
        measured.append(now)
    }

    private static func lasting(_ id: UInt64, _ side: SideName) -> UInt64 { id << 1 | UInt64(side.rawValue) }

    /// What limits a side's queue; `nil` when nothing may.
    private func queue(_ subject: Subject) -> SendQueueLimit? {
        guard subject.isMultipath, queues.largest > 0 else { return nil }
        guard queues.isFixed(subject.raw) else { return SendQueueLimit() }
        // By the configuration, or here, when it moved data before.
        return bounded.contains(subject.lasting) ? SendQueueLimit(bound: queues.bound(subject.raw)) : nil
    }

    private mutating func limitQueue(_ index: Int, _ subject: Subject, _ count: Int) {
        guard watched[index].queue != nil else { return }
        var sight = SendQueueLimit.Sight()
        for position in 0..<count { sight.add(reader[position].tcp) }
        let bound = watched[index].queue?.take(sight, most: queues.most(sight.sending)) { [queues] in
            queues.bound(subject.raw)
        }
        guard let bound else { return }
        do throws(Errno) {
            try queues.set(subject.raw, bound)
            bounded.insert(subject.lasting)
        } catch {
            // The kernel goes on deciding.
            watched[index].queue = nil
        }
    }

    /// What a subflow has done since the last measurement; chooses its connection's congestion control by it.
    private mutating func follow(
        _ index: Int, _ position: Int, _ raw: CInt, _ outcome: inout Outcome
    ) -> WatchedConnection.Counters {
        let subflow = reader[position]
        let difference = watched[index].difference(subflow)
        if let refusal = choose(index, raw, difference, subflow.tcp) { outcome.refusal = refusal }
        return difference
    }

    private mutating func choose(
        _ index: Int, _ raw: CInt, _ difference: WatchedConnection.Counters, _ tcp: TCPStatistics
    ) -> Errno? {
        let sample = CongestionChoice.Sample(
            segments: difference.segments, retransmits: difference.retransmits,
            roundTrip: tcp.roundTripMicroseconds, leastRoundTrip: tcp.minimumRoundTripMicroseconds)
        guard let answer = watched[index].congestion?.take(sample) else { return nil }
        let name: String
        switch answer {
        case .keep: return nil
        case .rateBased: name = CongestionControl.rateBased
        case .systemDefault: name = CongestionControl.systemDefault
        }
        do throws(Errno) {
            try CongestionControl.set(name, raw)
            watched[index].lossSlowsDown = answer != .rateBased
            return nil
        } catch {
            watched[index].congestion?.giveUp()
            return error
        }
    }

    /// Forgets those that have moved nothing for long.
    ///
    /// Where more connections move bulk than are measured this runs once for a few events of each: nothing here allocates.
    private mutating func dropStale(_ now: MonotonicTime, keeping slot: UInt32) {
        var index = keys.count
        while index > 0 {
            index -= 1
            if keys[index] >> 1 != slot, now.since(measured[index]) > Tuning.qualityMemory { remove(at: index) }
        }
    }

    private mutating func remove(at index: Int) {
        watched.remove(at: index)
        measured.remove(at: index)
        keys.remove(at: index)
    }
}

extension PathQuality {
    /// The place of a peer in the report.
    fileprivate mutating func peer(_ address: SocketAddress) -> Int {
        let remote = address.unmapped.with(port: 0)
        if let index = peers.firstIndex(where: { $0.remote == remote }) { return index }
        peers.append(PeerQuality(remote: remote))
        return peers.count - 1
    }

    fileprivate static func add(
        _ link: Int, _ difference: WatchedConnection.Counters, _ tcp: TCPStatistics, _ lossSlowsDown: Bool,
        to links: inout [LinkQuality]
    ) {
        let roundTrip = tcp.pathRoundTrip
        let index = links.firstIndex { $0.link == link } ?? links.count
        if index == links.count { links.append(LinkQuality(link: link)) }
        links[index].delivered &+= difference.delivered
        links[index].segments &+= UInt64(difference.segments)
        links[index].retransmits &+= UInt64(difference.retransmits)
        links[index].lossSlowsDown = links[index].lossSlowsDown || lossSlowsDown
        links[index].unacknowledged &+= UInt64(tcp.unacknowledgedSegments) * UInt64(tcp.segmentSize)
        links[index].windowLimited = max(links[index].windowLimited, difference.windowLimited)
        if roundTrip > 0 {
            links[index].roundTrip = links[index].roundTrip == 0 ? roundTrip : min(links[index].roundTrip, roundTrip)
        }
    }
}

extension TCPStatistics {
    /// The round-trip time as the side that sends more knows it: a receiver sends too little to measure by.
    fileprivate var pathRoundTrip: UInt32 {
        bytesReceived > bytesSent && receiverRoundTripMicroseconds > 0
            ? receiverRoundTripMicroseconds : roundTripMicroseconds
    }
}
