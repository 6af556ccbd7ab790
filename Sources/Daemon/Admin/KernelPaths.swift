internal import Admin
internal import LinuxSystem
internal import MultipathTCP

/// The kernel's MPTCP limits and endpoints, whoever set them. Reading needs no privilege.
enum KernelPaths {
    /// Fills in what the kernel says.
    ///
    /// - Throws: `PathManagerError` where it does not answer: what is there stays.
    static func read(into view: inout PathsView) throws(PathManagerError) {
        var manager = try PathManager()
        let limits = try manager.limits()
        view.limits.subflows = limits.subflows
        view.limits.announced = limits.acceptedAnnouncements
        view.endpoints = try manager.endpoints().map { endpoint in
            EndpointView(
                id: Int(endpoint.id),
                address: endpoint.address.port == 0 ? endpoint.address.host : endpoint.address.description,
                interface: endpoint.interface == 0 ? nil : InterfaceName.of(index: endpoint.interface),
                flags: endpoint.flags.description.split(separator: " ").map(String.init))
        }
        for index in view.links.indices {
            view.links[index].endpointId = view.endpoints.first { $0.address == view.links[index].address }?.id
        }
    }
}
