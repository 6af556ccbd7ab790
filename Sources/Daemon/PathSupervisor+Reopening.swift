internal import Configuration
internal import LinuxSystem
internal import Logging
internal import MultipathTCP
internal import Paths
internal import SystemPackage

/// Netlink sockets that have failed: which, and when to open them anew.
struct NetlinkReopening {
    /// Interfaces, addresses and routes are not followed.
    private(set) var lacksLinks = false
    /// Nothing is heard of subflows.
    private(set) var lacksEvents = false
    /// When to try; `never` while nothing lacks.
    private(set) var next = MonotonicTime.never
    private var failures: UInt64 = 0

    private static let firstPause: UInt64 = 500_000_000
    private static let longestPause: UInt64 = 60_000_000_000

    mutating func lostLinks(_ now: MonotonicTime) {
        lacksLinks = true
        schedule(now)
    }

    mutating func lostEvents(_ now: MonotonicTime) {
        lacksEvents = true
        schedule(now)
    }

    mutating func gotLinks() { lacksLinks = false }
    mutating func gotEvents() { lacksEvents = false }

    /// It was tried.
    mutating func tried(_ now: MonotonicTime) {
        next = .never
        if lacksLinks || lacksEvents {
            schedule(now)
        } else {
            failures = 0
        }
    }

    private mutating func schedule(_ now: MonotonicTime) {
        next = min(next, now + min(Self.firstPause << min(failures, 7), Self.longestPause))
        failures += 1
    }
}

/// A netlink socket that fails is closed, for it would stay readable and wake this thread for ever, and opened anew a little
/// later: that shows what was missed.
extension PathSupervisor {
    mutating func monitorFailed(_ error: NetlinkError) {
        PathNotices(logger: logger).write(.netlink(error), during: "following links")
        monitor = nil
        reopening.lostLinks(.now())
    }

    mutating func eventsFailed(_ error: NetlinkError) {
        PathNotices(logger: logger).write(.netlink(error), during: "listening to subflows")
        kernel?.events = nil
        reopening.lostEvents(.now())
    }

    mutating func reopen(_ now: MonotonicTime, _ loops: borrowing LoopThreads, _ poller: borrowing Poller) {
        if reopening.lacksLinks, reopenMonitor(poller) {
            reopening.gotLinks()
            followLinks(loops)
        }
        if reopening.lacksEvents, reopenEvents(poller) {
            reopening.gotEvents()
            scheduleAudit(after: 100_000_000)
        }
        reopening.tried(now)
    }

    private mutating func reopenMonitor(_ poller: borrowing Poller) -> Bool {
        do throws(NetlinkError) {
            let opened = try LinkMonitor()
            try Self.watch(opened.raw, .links, poller)
            monitor = consume opened
            return true
        } catch {
            logger.debug("the interfaces still cannot be followed: \(error)")
            return false
        }
    }

    private mutating func reopenEvents(_ poller: borrowing Poller) -> Bool {
        do throws(PathManagerError) {
            let opened = try PathManager().events()
            do throws(NetlinkError) {
                try Self.watch(opened.raw, .pathEvents, poller)
            } catch {
                throw .netlink(error)
            }
            kernel?.events = consume opened
        } catch {
            logger.debug("subflows still cannot be listened to: \(error)")
            return false
        }
        // A new socket has no filter.
        eventKinds = []
        listen()
        return true
    }

    private static func watch(
        _ raw: CInt, _ tag: Supervisor.Tag, _ poller: borrowing Poller
    ) throws(NetlinkError) {
        do throws(Errno) {
            try poller.add(raw, .readable, EventToken(slot: 0, tag: tag.rawValue))
        } catch {
            throw .system(error)
        }
    }
}
