internal import LinuxSystem
internal import MultipathTCP

/// The legs that a loop looks at by the clock: those whose subflows it does not know yet, and those that wait for an answer
/// over one of several subflows. Empty when nothing is outstanding: then no timer runs.
struct LegWatch: ~Copyable {
    /// A leg that is looked at.
    struct Entry {
        let token: EventToken
        /// Not to be asked about before.
        var nextLook: MonotonicTime
        /// It was reported that all its subflows are stuck, and nothing has moved since.
        var allReported = false
    }

    /// What one look found.
    enum Finding {
        /// Nothing is outstanding.
        case settled
        /// Something waits, and nothing is wrong.
        case waiting
        /// This subflow, by its position in the reader, is dead, and another one works.
        case stalled(Int)
        /// Every subflow is stuck.
        case allStalled
    }

    private(set) var entries: [Entry] = []
    private var progress: [InlineArray<8, StallRule.Progress>] = []
    /// Where the next round of looks begins.
    var cursor = 0
    /// When the next round of looks is due; `nil` when no timer is set.
    var due: MonotonicTime?
    /// Somebody acts on what is found.
    var findsStalls = false
    /// `LoopCommand.probeSilence`
    var probesSilence = false
    /// At most one link is up: then a leg's only subflow is on the last link, and when it dies, nothing else tells so.
    var isLastLink = false
    /// Legs with a single subflow are looked at as well.
    var judgesSingle: Bool { findsStalls && probesSilence && isLastLink }
    var rule = StallRule()

    mutating func add(_ token: EventToken, firstLook: MonotonicTime) {
        entries.append(Entry(token: token, nextLook: firstLook))
        progress.append(InlineArray(repeating: StallRule.Progress()))
    }

    mutating func remove(_ index: Int) {
        let last = entries.count - 1
        if index != last {
            entries[index] = entries[last]
            progress[index] = progress[last]
        }
        entries.removeLast()
        progress.removeLast()
    }

    mutating func postpone(_ index: Int, until time: MonotonicTime) {
        entries[index].nextLook = time
    }

    /// Leaves out a time in which this thread did not run, and its peers perhaps as little: nobody can be blamed for it.
    mutating func leaveOut(_ nanoseconds: UInt64) {
        for index in entries.indices {
            for place in 0..<8 where progress[index][place].id != .max {
                progress[index][place].since = progress[index][place].since + nanoseconds
                progress[index][place].marked = progress[index][place].marked + nanoseconds
            }
        }
    }

    /// Whether one of a leg's subflows had data outstanding at the last look, and was not reported. That lasts when the kernel
    /// has sent the data again over another subflow: then the whole waits for nothing any more, and that subflow is dead.
    func waits(_ index: Int) -> Bool {
        for place in 0..<8 where progress[index][place].id != .max && !progress[index][place].isReported { return true }
        return false
    }

    // MARK: Judging

    /// Compares a leg's subflows, just read, with the look before.
    mutating func judge(
        _ index: Int, _ reader: borrowing SubflowReader, _ accounts: inout LinkAccounts, now: MonotonicTime
    ) -> Finding {
        guard reader.count > (judgesSingle ? 0 : 1), reader.info != nil else { return .settled }
        var outstanding = false
        var works = false
        var dead: Int?
        var deadAgain = false
        for position in 0..<reader.count {
            let subflow = reader[position]
            guard subflow.tcp.state == .established || subflow.tcp.state == .closeWait else { continue }
            let place = accounts.local(of: subflow)
            let silence = UInt64(subflow.tcp.lastAcknowledgementMilliseconds) * 1_000_000
            accounts.acknowledged(
                place, at: MonotonicTime(nanoseconds: now.nanoseconds &- min(silence, now.nanoseconds)))
            if subflow.tcp.unacknowledgedSegments == 0 {
                forget(index, subflow)
                works = true
                continue
            }
            outstanding = true
            let slot = slot(index, subflow)
            let known = progress[index][slot]
            if known.id != subflow.id || known.acknowledged != subflow.tcp.bytesAcknowledged {
                progress[index][slot] = rule.begin(subflow, place: place, now: now)
                works = true
                continue
            }
            var judged = known
            let judgement = rule.judge(subflow.tcp, &judged, accounts.locals[place], now: now)
            progress[index][slot] = judged
            switch judgement {
            case .moves: works = true
            case .slow: break
            case .dead:
                if known.isReported { deadAgain = true } else { dead = dead ?? position }
            }
        }
        if works { entries[index].allReported = false }
        if let dead {
            if works {
                progress[index][slot(index, reader[dead])].isReported = true
                return .stalled(dead)
            }
            deadAgain = true
        }
        if deadAgain, !works, !entries[index].allReported {
            entries[index].allReported = true
            return .allStalled
        }
        return outstanding ? .waiting : .settled
    }

    /// How many watched legs have data outstanding from a local address, and how many of them have it stuck.
    func tally(_ local: UInt8) -> (outstanding: Int, stuck: Int) {
        var outstanding = 0
        var stuck = 0
        for index in entries.indices {
            var uses = false
            var isSlow = false
            for place in 0..<8 where progress[index][place].id != .max && progress[index][place].local == local {
                uses = true
                if progress[index][place].isSlow { isSlow = true }
            }
            if uses { outstanding += 1 }
            if isSlow { stuck += 1 }
        }
        return (outstanding, stuck)
    }

    private mutating func forget(_ index: Int, _ subflow: Subflow) {
        let place = slot(index, subflow)
        if progress[index][place].id == subflow.id { progress[index][place] = StallRule.Progress() }
    }

    /// Where a subflow is remembered: where it was, else a free place, else the first.
    private func slot(_ index: Int, _ subflow: Subflow) -> Int {
        for place in 0..<8 where progress[index][place].id == subflow.id { return place }
        for place in 0..<8 where progress[index][place].id == .max { return place }
        return 0
    }
}
