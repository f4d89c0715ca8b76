import KubeClient
import KubeModel
import LabScreens
import TerminalScreen

/// What the browser asks for.
extension ScreenSession {
    func follow(_ target: BrowserTarget?) {
        browsing?.cancel()
        browsing = nil
        guard let target, let client = try? cluster.presentClient() else { return }
        let browser = ClusterBrowser(client: client, inbox: inbox)
        browsing = tasks.add { await browser.run(target) }
    }

    func delete(_ object: BrowserObject) {
        let (inbox, cluster) = (inbox, cluster)
        tasks.add {
            do {
                let client = try cluster.presentClient()
                try await client.delete(
                    object.resource, namespace: object.namespace, name: object.name, options: DeleteOptions())
                inbox.post(.notice("\(object.resource.kind) \(object.name) is being deleted."))
            } catch {
                inbox.post(.notice((error as? Status)?.message ?? "\(error)"))
            }
        }
    }

    /// By kubectl, which the learner has for the labs.
    func openShell(in pod: BrowserObject) {
        guard let kubectl = Machine.find("kubectl") else {
            return inbox.post(.notice("kubectl is not installed, and a shell in a pod is opened with it."))
        }
        var environment = Machine.environment
        do { environment["KUBECONFIG"] = try cluster.kubeconfigForShells() } catch {
            return inbox.post(.notice("\(error)"))
        }
        let words = ["exec", "-it", "-n", pod.namespace ?? "default", pod.name, "--", "sh"]
        let status = terminal.suspended {
            Output.remark("A shell in \(pod.name); `exit` brings you back.")
            return Foreground.run(kubectl, words, environment: environment, directory: Machine.userHome)
        }
        inbox.post(.resized(terminal.size))
        if status == 126 || status == 127 { inbox.post(.notice("There is no shell in the image of \(pod.name).")) }
    }
}
