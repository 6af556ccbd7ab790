internal import LinuxSystem
internal import SystemPackage

/// By which processes that have handed over know how the one is that serves now: it alone holds one end, and they watch the
/// other. Both ends go from each process to its successor.
struct Lifeline: ~Copyable {
    private static let farewell = "stopping"

    /// What has become of the process that serves.
    enum State {
        /// It runs.
        case serving
        /// It was told to stop, and may have ended since.
        case stopping
        /// It has ended without that.
        case lost
    }

    private var held: DescriptorChannel?
    private var watched: DescriptorChannel?

    /// What goes to a successor; -1 before it was prepared.
    var heldDescriptor: CInt { Self.number(held) }
    var watchedDescriptor: CInt { Self.number(watched) }

    private static func number(_ channel: borrowing DescriptorChannel?) -> CInt {
        switch channel {
        case .some(let channel): channel.raw
        case .none: -1
        }
    }

    /// The first of a service has none.
    init() {
        held = nil
        watched = nil
    }

    /// What a predecessor sent; a new one where anything lacks.
    init(held: consuming DescriptorChannel?, watched: consuming DescriptorChannel?) {
        self.held = held
        self.watched = watched
    }

    /// Makes sure that there is one to hand on.
    mutating func prepare() throws(Errno) {
        if held != nil, watched != nil { return }
        held = try DescriptorChannel.pair(&watched)
    }

    /// Another process serves from here on.
    mutating func letGo() { held = nil }

    /// This process is told to stop.
    func sayFarewell() throws(Errno) { try held?.send(Self.farewell) }

    /// How the process that serves is.
    var state: State {
        // An error of the look itself is no sign of life either.
        switch try? watched?.peek() {
        case .nothing: .serving
        case .message: .stopping
        case .end, nil: .lost
        }
    }
}
