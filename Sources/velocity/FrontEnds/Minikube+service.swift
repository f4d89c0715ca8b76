import ArgumentParser
import Cluster
import Foundation
import KubeClient
import KubeModel

extension Minikube {
    func client() throws -> any ClusterClient {
        _ = try running()
        return try EmbeddedCluster.client(of: try directory())
    }

    mutating func service(_ words: [String]) async throws {
        let read = try read(
            words,
            [
                .value("namespace", "n"), .toggle("url"), .toggle("https"), .value("format"), .toggle("all"),
                .value("wait"), .value("interval"), .value("output", "o"),
            ], "service")
        let client = try client()
        if read.operand(0) == "list" { return try await list(client, read["namespace"]) }
        let namespace = read["namespace"] ?? "default"
        if read.has("all") {
            for service in try await client.list(.services, in: namespace).items where service.nodePorts.count > 0 {
                say(service, read)
            }
            return
        }
        guard let name = read.operand(0), read.operands.count == 1 else {
            throw FrontEndFailure(
                lines: ["❌  Exiting due to MK_USAGE: You must specify a service name"], code: 14)
        }
        let service: KubeObject
        do throws(Status) { service = try await client.get(.services, name, in: namespace) } catch {
            guard error.code == 404 else { throw FrontEndFailure(error.message) }
            throw FrontEndFailure(
                lines: [
                    "❌  Exiting due to SVC_NOT_FOUND: Service '\(name)' was not found in '\(namespace)' namespace.",
                    "You may select another namespace by using 'minikube service \(name) -n <namespace>'."
                        + " Or list out all the services using 'minikube service list'",
                ], code: 115)
        }
        guard !service.nodePorts.isEmpty else {
            throw FrontEndFailure(
                lines: [
                    "😿  service \(namespace)/\(name) has no node port",
                    "hint: It is reached inside the cluster only; from here: kubectl port-forward -n \(namespace) service/\(name) 8080:"
                        + "\(service.value[["spec", "ports"]]?.array?.first?["port"]?.int ?? 80)",
                ], code: 110)
        }
        try await requireEndpoint(client, service)
        say(service, read)
    }

    /// A URL that nobody answers helps nobody: minikube refuses as well.
    private func requireEndpoint(_ client: any ClusterClient, _ service: KubeObject) async throws {
        let labels = service.value[["spec", "selector"]]?.object ?? [:]
        guard !labels.isEmpty else { return }
        let pods = try await client.list(.pods, in: service.namespace).items
        let chosen = pods.filter { pod in
            labels.allSatisfy { pod.value[["metadata", "labels"]]?[$0.key]?.string == $0.value.string }
        }
        if chosen.contains(where: { $0.value[["status", "phase"]]?.string == "Running" }) { return }
        throw FrontEndFailure(
            lines: [
                "❌  Exiting due to SVC_UNREACHABLE: service not available: no running pod for service \(service.name) found",
                "hint: See why: kubectl get pods -n \(service.namespace ?? "default")",
            ], code: 119)
    }

    private func urls(_ service: KubeObject, _ read: FrontEndWords) -> [String] {
        service.nodePorts.map { port in
            let scheme = read.has("https") ? "https" : "http"
            guard let format = read["format"] else { return "\(scheme)://127.0.0.1:\(port)" }
            return format.replacingOccurrences(of: "{{.IP}}", with: "127.0.0.1")
                .replacingOccurrences(of: "{{.Port}}", with: "\(port)")
        }
    }

    private func say(_ service: KubeObject, _ read: FrontEndWords) {
        let urls = urls(service, read)
        if read.has("url") { return urls.forEach(Output.line) }
        Output.text(table([service], urls: { _ in urls }))
        Output.line("🎉  Open it in your browser: \(urls.joined(separator: " "))")
    }

    private func list(_ client: any ClusterClient, _ namespace: String?) async throws {
        let services = try await client.list(.services, in: namespace).items
        Output.text(table(services) { $0.nodePorts.map { "http://127.0.0.1:\($0)" } })
    }

    private func table(_ services: [KubeObject], urls: (KubeObject) -> [String]) -> String {
        let rows = services.map { service in
            let ports = service.value[["spec", "ports"]]?.array ?? []
            let targets = ports.map { port in
                (port["name"]?.string.map { "\($0)/" } ?? "") + "\(port["port"]?.int ?? 0)"
            }
            let hasPort = !service.nodePorts.isEmpty
            return [
                service.namespace ?? "", service.name,
                hasPort ? targets.joined(separator: " ") : "No node port", urls(service).joined(separator: " "),
            ]
        }
        return BorderedTable.text(["NAMESPACE", "NAME", "TARGET PORT", "URL"], rows)
    }
}

extension KubeObject {
    /// The node ports of a Service.
    fileprivate var nodePorts: [Int] {
        (value[["spec", "ports"]]?.array ?? []).compactMap { $0["nodePort"]?.int }.filter { $0 > 0 }
    }
}
