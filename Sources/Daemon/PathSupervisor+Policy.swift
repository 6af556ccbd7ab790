internal import Configuration
internal import Forwarding
internal import LinuxSystem
internal import Logging
internal import Paths
internal import ServiceManager

/// What the links' rules and the relays' modes make of the links.
extension PathSupervisor {
    /// How often the month's use is written while it grows.
    private static let saveInterval: UInt64 = 30_000_000_000
    /// How often the calendar is looked at while a link waits for the month's end: the clock may be set.
    private static let calendarInterval: UInt64 = 3_600_000_000_000

    /// Whether any rule or mode needs what the loops count.
    var hasPolicy: Bool { hasLimits || policy.mode != .aggregate || settings.links.contains { !LinkRules($0).isEmpty } }

    var hasLimits: Bool { settings.links.contains { $0.monthlyLimit > 0 } }

    /// Takes up what was kept, and has the loops tell when they have counted: called once, before `start`.
    ///
    /// - Parameter common: the mode of all relays; `nil` when they differ. The kernel's endpoints are the same for all
    ///   connections, so then every link stays in use, and a relay's mode says only which link its connections begin on.
    mutating func beginPolicy(_ common: PathMode?, _ loops: borrowing LoopThreads) {
        let mode = common ?? .aggregate
        policy.mode = mode
        noteModes(common)
        guard hasPolicy else { return }
        if hasLimits {
            var file = UsageFile(logger: logger)
            policy = PathPolicy(mode: mode, usage: file.load())
            usageFile = file
        }
        loops.send(.tellOfLinks(true))
    }

    /// Says that the relays do not agree, when they begin not to.
    mutating func noteModes(_ common: PathMode?) {
        if common == nil, !modesDiffer {
            logger.notice(
                """
                the relays that dial over MPTCP differ in 'mode': each begins its connections on the link that its mode \
                prefers, and all links are used; one mode for all of them keeps connections to one link
                """)
        }
        modesDiffer = common == nil
    }

    /// The loops have counted, a link has changed, or a deadline has come.
    ///
    /// - Returns: whether anything changed.
    @discardableResult
    mutating func judgeLinks(_ loops: borrowing LoopThreads) -> Bool {
        guard hasPolicy else { return false }
        return judge(loops)
    }

    /// Judges every link, also when nothing asks for that any more.
    @discardableResult
    mutating func judge(_ loops: borrowing LoopThreads) -> Bool {
        let readings = links.map { $0.reading(loops) }
        let verdicts = policy.judge(readings, now: .now(), seconds: UsageFile.seconds)
        var changed = false
        for verdict in verdicts {
            guard let index = links.firstIndex(where: { $0.id == verdict.id }) else { continue }
            let before = links[index]
            links[index].demotion = verdict.backup
            links[index].isOverLimit = verdict.isOff
            guard before.demotion != verdict.backup || before.isOverLimit != verdict.isOff else { continue }
            // Not for a figure alone: that a limit is passed is said once.
            if before.isBackup != links[index].isBackup || before.isOverLimit != verdict.isOff {
                changed = true
                PathNotices(logger: logger).write(from: before, to: links[index])
            }
        }
        planPolicy()
        return changed
    }

    /// A loop has counted.
    mutating func linksCounted(_ loops: borrowing LoopThreads) {
        if judgeLinks(loops) { apply(loops) }
    }

    /// When anything of the paths is to be seen to.
    var nextDeadline: MonotonicTime { min(deadline, min(guardDeadline, policyDeadline)) }

    /// When `meetPolicyDeadline` is to be called.
    var policyDeadline: MonotonicTime { min(policy.deadline, min(saveDue, calendarDue)) }

    mutating func meetPolicyDeadline(_ now: MonotonicTime, _ loops: borrowing LoopThreads) {
        if saveDue <= now { saveUsage() }
        if calendarDue <= now { calendarDue = .never }
        if judgeLinks(loops) { apply(loops) }
    }

    private mutating func planPolicy() {
        let now = MonotonicTime.now()
        if let usageFile, saveDue == .never, usageFile.differs(from: policy.usage) { saveDue = now + Self.saveInterval }
        if let end = policy.monthEnd {
            let left = UInt64(max(1, end - UsageFile.seconds)) * 1_000_000_000
            if calendarDue == .never { calendarDue = now + min(left, Self.calendarInterval) }
        } else {
            calendarDue = .never
        }
    }

    /// Writes the month's use.
    mutating func saveUsage() {
        saveDue = .never
        usageFile?.save(policy.usage)
    }
}

extension SupervisedLink {
    /// What the policy is to know.
    fileprivate func reading(_ loops: borrowing LoopThreads) -> PathPolicy.Reading {
        var reading = PathPolicy.Reading(
            id: id, name: name, rules: status.configured.rules,
            isPrimary: status.state == .up && stall == nil && !isSwitchedOff && !status.configured.isAnnounced
                && requestedBackup != true && (requestedBackup == false || !status.configured.isBackup))
        var roundTrips: [UInt64] = []
        for loop in loops.shared {
            let counters = loop.counters.read(link: id)
            reading.bytes &+= counters.bytesSent &+ counters.bytesReceived
            reading.segments &+= counters.segmentsSent
            reading.retransmits &+= counters.retransmits
            if counters.roundTripMicroseconds > 0 { roundTrips.append(counters.roundTripMicroseconds) }
        }
        if !roundTrips.isEmpty { reading.roundTrip = roundTrips.reduce(0, +) / UInt64(roundTrips.count) }
        return reading
    }
}

extension LinkRules {
    /// The rules of a link as the configuration has it.
    init(_ settings: LinkSettings) {
        self.init(
            maxRoundTrip: settings.maxRTT.wholeNanoseconds / 1000, maxLoss: settings.maxLoss,
            monthlyLimit: UInt64(settings.monthlyLimit), overLimit: settings.overLimit == .off ? .off : .backup)
    }
}

extension PathMode {
    /// How the relays that dial over MPTCP use links; `nil` when they do not agree.
    static func common(_ relays: [RelaySettings]) -> PathMode? {
        let modes = Set(relays.filter { relay in relay.upstream.contains { $0.value.isMultipath } }.map(\.mode))
        guard modes.count < 2 else { return nil }
        switch modes.first {
        case .handover: return .handover
        case .interactive: return .interactive
        case .aggregate, nil: return .aggregate
        }
    }
}
