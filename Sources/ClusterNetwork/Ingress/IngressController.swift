import ContainerRuntime
import ControllerKit
import KubeClient
import KubeModel
import NIOCore

/// Serves Ingresses as ingress-nginx does in a cluster of minikube, from the first one on.
///
/// Nothing of it exists before there is an Ingress of ours or an IngressClass that names our controller: then it makes what
/// minikube's addon makes (namespace, default class, Service) and starts to listen. It is owned by one task.
final class IngressController {
    static let namespace = "ingress-nginx"
    static let name = "ingress-nginx-controller"
    static let labels = [
        "app.kubernetes.io/component": "controller", "app.kubernetes.io/instance": "ingress-nginx",
        "app.kubernetes.io/name": "ingress-nginx",
    ]
    /// What `kubectl get ingress` shows as the address: that of this machine, as node ports are.
    private static let status: JSONValue = ["ingress": [["ip": "127.0.0.1"]]]

    private let client: any ClusterClient
    private let datapath: any NetworkDatapath
    private let makeProxy: () throws -> IngressProxy
    private var proxy: IngressProxy?
    private let address: String
    private let informers: NetworkInformers
    private let events: EventRecorder
    private var channels: [any Channel] = []
    private var hasObjects = false
    private var backoff = Backoff()
    /// Hosts whose certificate was missed before, so that it is said once.
    private var missed: [String] = []

    init(
        client: any ClusterClient, datapath: any NetworkDatapath, address: String, informers: NetworkInformers,
        makeProxy: @escaping () throws -> IngressProxy
    ) {
        self.client = client
        self.datapath = datapath
        self.makeProxy = makeProxy
        self.address = address
        self.informers = informers
        events = EventRecorder(client: client, component: "nginx-ingress-controller")
    }

    /// Brings everything in line with the objects that there are.
    ///
    /// - Parameter again: Asks for another call after a while.
    func update(again: (Duration) -> Void) async {
        let ingresses = informers.ingresses.list()
        let plan = IngressPlan(
            ingresses: ingresses, classes: informers.ingressClasses.list(), services: informers.services.list(),
            slices: informers.endpointSlices.list())
        guard plan.isWanted else { return await close() }
        var unusable: [String] = []
        do {
            let proxy = try self.proxy ?? makeProxy()
            self.proxy = proxy
            var certificates = proxy.certificates
            unusable = certificates.update(plan.secrets) { informers.secrets.get($0) }
            proxy.replace(plan.table, certificates)
            if channels.isEmpty { try await listen(proxy) }
            if !hasObjects { try await makeObjects() }
            hasObjects = true
            let served = Set(plan.served)
            for ingress in ingresses where served.contains(ObjectKey(ingress)) { try await writeStatus(ingress) }
            backoff.reset()
        } catch {
            again(backoff.next())
        }
        await complain(unusable, plan, ingresses)
    }

    /// Stops to listen and ends what is open.
    func close() async {
        for channel in channels { try? await channel.close() }
        proxy?.closeAll()
        proxy = nil
        channels = []
        hasObjects = false
    }

    private func listen(_ proxy: IngressProxy) async throws {
        let plain = try await proxy.listen(
            on: try await datapath.listen(.tcp, address: address, port: 80), isTLS: false)
        do {
            let secure = try await proxy.listen(
                on: try await datapath.listen(.tcp, address: address, port: 443), isTLS: true)
            channels = [plain, secure]
        } catch {
            try? await plain.close()
            throw error
        }
    }

    private func writeStatus(_ ingress: KubeObject) async throws {
        guard ingress.value[["status", "loadBalancer"]] != Self.status else { return }
        var changed = ingress
        changed.value[["status", "loadBalancer"]] = Self.status
        do { _ = try await client.updateStatus(.ingresses, changed) } catch {
            // It has changed or is gone, which leads to the next call.
            guard error.code == 404 || error.code == 409 else { throw error }
        }
        await events.record(ingress, .normal, reason: "Sync", message: "Scheduled for sync")
    }

    private func complain(_ hosts: [String], _ plan: IngressPlan, _ ingresses: [KubeObject]) async {
        let new = hosts.filter { !missed.contains($0) }
        missed = hosts
        for host in new {
            guard let secret = plan.secrets[host], !secret.name.isEmpty,
                let ingress = ingresses.first(where: { ingress in
                    ingress.namespace == secret.namespace
                        && (ingress.value[["spec", "tls"]]?.array ?? []).contains {
                            $0["secretName"]?.string == secret.name
                        }
                })
            else { continue }
            await events.record(
                ingress, .warning, reason: "CertificateUnavailable",
                message:
                    "There is no usable certificate for '\(host)' in the Secret '\(secret.name)': it needs tls.crt and "
                    + "tls.key that fit. Clients see the controller's own certificate.")
        }
    }

    // MARK: What minikube's addon makes

    private func makeObjects() async throws {
        var namespace = KubeObject(.namespaces, namespace: nil, name: Self.namespace)
        namespace.labels = Self.labels.filter { $0.key != "app.kubernetes.io/component" }
        try await make(.namespaces, namespace)
        var ingressClass = KubeObject(.ingressClasses, namespace: nil, name: IngressPlan.className)
        ingressClass.labels = Self.labels
        ingressClass.value[["metadata", "annotations"]] = ["ingressclass.kubernetes.io/is-default-class": "true"]
        ingressClass.value["spec"] = ["controller": .string(IngressPlan.controller)]
        try await make(.ingressClasses, ingressClass)
        var service = KubeObject(.services, namespace: Self.namespace, name: Self.name)
        service.labels = Self.labels
        service.value["spec"] = [
            "type": "NodePort",
            "ports": [
                ["name": "http", "port": 80, "targetPort": "http", "appProtocol": "http"],
                ["name": "https", "port": 443, "targetPort": "https", "appProtocol": "https"],
            ],
        ]
        try await make(.services, service)
        var slice = KubeObject(.endpointSlices, namespace: Self.namespace, name: "\(Self.name)-host")
        slice.labels = Self.labels.merging(
            ["kubernetes.io/service-name": Self.name, "endpointslice.kubernetes.io/managed-by": "velocity"]
        ) { first, _ in first }
        slice.value["addressType"] = "IPv4"
        slice.value["endpoints"] = [["addresses": [.string(address)], "conditions": ["ready": true]]]
        slice.value["ports"] = [
            ["name": "http", "port": 80, "protocol": "TCP"], ["name": "https", "port": 443, "protocol": "TCP"],
        ]
        try await make(.endpointSlices, slice)
    }

    /// Makes an object; one that is there already stays as it is.
    private func make(_ resource: ResourceType, _ object: KubeObject) async throws {
        do { _ = try await client.create(resource, object) } catch {
            guard error.code == 409 else { throw error }
        }
    }
}
