internal import LinuxSystem
internal import MultipathTCP
internal import Paths

/// What of the kernel's path management needs `CAP_NET_ADMIN`: endpoints and limits, and what happens to subflows.
struct PathKernel: ~Copyable {
    var keeper: EndpointKeeper
    /// `nil` while it is to be opened anew.
    var events: PathEvents?

    /// Opens all of it.
    ///
    /// - Throws: `PathManagerError.needsNetAdmin`, `.unsupported`.
    static func open(_ limits: PathLimits) throws(PathManagerError) -> PathKernel {
        let manager = try PathManager()
        let events = try manager.events()
        return PathKernel(keeper: EndpointKeeper(manager, limits: limits), events: events)
    }
}
