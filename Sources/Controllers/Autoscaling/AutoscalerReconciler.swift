import ControllerKit
import KubeClient
import KubeModel
import Synchronization

/// Changes the number of pods of what a HorizontalPodAutoscaler names, by what the pods use.
///
/// It looks every 15 seconds at each autoscaler there is; without one it never wakes.
final class AutoscalerReconciler: Reconciler {
    private let client: any ClusterClient
    private let events: EventRecorder
    private let resources: @Sendable (_ apiVersion: String, _ kind: String) -> ResourceType?
    /// Divides the times that Kubernetes prescribes.
    private let timeFactor: Double
    private let origin = Timestamp.now
    private let histories = Mutex<[ObjectKey: ScalingHistory]>([:])

    init(
        client: any ClusterClient, events: EventRecorder,
        resources: @escaping @Sendable (_ apiVersion: String, _ kind: String) -> ResourceType?,
        timeFactor: Double = 1
    ) {
        self.client = client
        self.events = events
        self.resources = resources
        self.timeFactor = timeFactor
    }

    /// The time by which windows and periods are measured: faster than the clock where waits are shortened.
    private func paced(_ time: Timestamp) -> Timestamp { origin + (time - origin) * timeFactor }

    func reconcile(_ key: ObjectKey) async throws -> Outcome {
        guard let object = try await client.find(.horizontalPodAutoscalers, key), !object.isBeingDeleted else {
            histories.withLock { $0[key] = nil }
            return .settled
        }
        var pass = AutoscalerPass(object, now: .now)
        await scale(&pass)
        try await write(pass)
        return .again(after: .seconds(15) / timeFactor)
    }

    private func write(_ pass: AutoscalerPass) async throws {
        guard pass.object != pass.original else { return }
        do throws(Status) {
            _ = try await client.update(
                .horizontalPodAutoscalers, pass.object, subresource: "status", options: WriteOptions())
        } catch {
            // Somebody changed it meanwhile: the next look is soon enough.
            guard error.isNotFound || error.isConflict else { throw error }
        }
    }

    /// One look: find the target, measure, decide, act.
    private func scale(_ pass: inout AutoscalerPass) async {
        let namespace = pass.object.namespace ?? ""
        guard let resource = resources(pass.target.apiVersion, pass.target.kind) else {
            let why = "no matches for kind \"\(pass.target.kind)\" in group \"\(pass.target.group)\""
            return await failGetScale(&pass, why)
        }
        let target: JSONValue
        do throws(Status) {
            target = try await client.call(
                "GET", resource, namespace: namespace, name: pass.target.name, subresource: "scale", body: nil)
        } catch {
            return await failGetScale(&pass, error.message)
        }
        pass.set(
            "AbleToScale", true, "SucceededGetScale",
            "the HPA controller was able to get the target's current scale")
        let current = target[["spec", "replicas"]]?.int ?? 0
        var history = histories.withLock { $0[ObjectKey(pass.object)] } ?? ScalingHistory()
        history.begin(current, now: paced(pass.now))
        guard let decision = await decide(&pass, current, target, &history) else {
            histories.withLock { $0[ObjectKey(pass.object)] = history }
            return pass.report(current: current, desired: nil, rescaled: false)
        }
        let isRescaled = decision.replicas != current && !decision.isDisabled
        if isRescaled {
            let done = await rescale(&pass, resource, from: current, to: decision)
            if done { history.scaled(from: current, to: decision.replicas, now: paced(pass.now)) }
            histories.withLock { $0[ObjectKey(pass.object)] = history }
            return pass.report(current: current, desired: done ? decision.replicas : nil, rescaled: done)
        }
        histories.withLock { $0[ObjectKey(pass.object)] = history }
        pass.report(current: current, desired: decision.isDisabled ? 0 : current, rescaled: false)
    }

    private func failGetScale(_ pass: inout AutoscalerPass, _ why: String) async {
        await events.record(pass.object, .warning, reason: "FailedGetScale", message: why)
        pass.set(
            "AbleToScale", false, "FailedGetScale",
            "the HPA controller was unable to get the target's current scale: \(why)")
    }

    private struct Decision {
        var replicas: Int
        var reason = ""
        var isDisabled = false
    }

    private func decide(
        _ pass: inout AutoscalerPass, _ current: Int, _ target: JSONValue, _ history: inout ScalingHistory
    ) async -> Decision? {
        if current == 0, pass.min != 0 {
            pass.set(
                "ScalingActive", false, "ScalingDisabled",
                "scaling is disabled since the replica count of the target is zero")
            return Decision(replicas: 0, isDisabled: true)
        }
        if current > pass.max {
            return Decision(replicas: pass.max, reason: "Current number of replicas above Spec.MaxReplicas")
        }
        if current < pass.min {
            return Decision(replicas: pass.min, reason: "Current number of replicas below Spec.MinReplicas")
        }
        let found: (replicas: Int, metric: String)
        do throws(MetricError) {
            found = try await compute(&pass, current, target)
        } catch {
            await events.record(
                pass.object, .warning, reason: "FailedComputeMetricsReplicas", message: error.message)
            return nil
        }
        let verdict = history.settle(
            found.replicas, current: current, min: pass.min, max: pass.max,
            behavior: pass.object.value[["spec", "behavior"]], now: paced(pass.now))
        pass.set("AbleToScale", true, verdict.able.reason, verdict.able.message)
        pass.set("ScalingLimited", verdict.isLimited, verdict.limit.reason, verdict.limit.message)
        let reason =
            found.replicas > current
            ? "\(found.metric) above target" : found.replicas < current ? "All metrics below target" : ""
        return Decision(replicas: verdict.replicas, reason: reason)
    }

    private func rescale(
        _ pass: inout AutoscalerPass, _ resource: ResourceType, from current: Int, to decision: Decision
    ) async -> Bool {
        do throws(Status) {
            _ = try await client.patch(
                resource, namespace: pass.object.namespace, name: pass.target.name,
                .merge(["spec": ["replicas": JSONValue(decision.replicas)]]), subresource: "scale",
                options: WriteOptions())
        } catch {
            await events.record(
                pass.object, .warning, reason: "FailedRescale",
                message: "New size: \(decision.replicas); reason: \(decision.reason); error: \(error.message)")
            pass.set(
                "AbleToScale", false, "FailedUpdateScale",
                "the HPA controller was unable to update the target scale: \(error.message)")
            return false
        }
        pass.set(
            "AbleToScale", true, "SucceededRescale",
            "the HPA controller was able to update the target scale to \(decision.replicas)")
        await events.record(
            pass.object, .normal, reason: "SuccessfulRescale",
            message: "New size: \(decision.replicas); reason: \(decision.reason)")
        return true
    }

    // MARK: Metrics

    private func compute(
        _ pass: inout AutoscalerPass, _ current: Int, _ target: JSONValue
    ) async throws(MetricError) -> (replicas: Int, metric: String) {
        guard let selector = target[["status", "selector"]]?.string, !selector.isEmpty else {
            await events.record(pass.object, .warning, reason: "SelectorRequired", message: "selector is required")
            pass.set(
                "ScalingActive", false, "InvalidSelector", "the HPA target's scale is missing a selector")
            throw MetricError(message: "selector is required")
        }
        var best: (replicas: Int, metric: String)?
        var statuses: [JSONValue] = []
        var failures: [(reason: String, error: MetricError)] = []
        for metric in pass.metrics {
            do throws(MetricError) {
                let found = try await measure(metric, pass, current, selector)
                statuses.append(found.status)
                if found.replicas > best?.replicas ?? 0 { best = (found.replicas, found.name) }
            } catch {
                statuses.append(["type": ""])
                let reason = "FailedGet\(metric["type"]?.string ?? "")Metric"
                await events.record(pass.object, .warning, reason: reason, message: error.message)
                failures.append((reason, error))
            }
        }
        let isUseless = failures.count >= pass.metrics.count || !failures.isEmpty && best?.replicas ?? 0 < current
        pass.setMetrics(statuses)
        if let first = failures.first, isUseless {
            pass.set(
                "ScalingActive", false, first.reason,
                "the HPA was unable to compute the replica count: \(first.error.message)")
            let metric = pass.metrics.first ?? [:]
            let name = metric[["resource", "name"]]?.string
            let prefix = name.map { "failed to get \($0) resource metric value: " } ?? ""
            throw MetricError(
                message: "invalid metrics (\(failures.count) invalid out of \(pass.metrics.count)), first error is: "
                    + prefix + first.error.message)
        }
        let outcome = best ?? (0, "")
        pass.set(
            "ScalingActive", true, "ValidMetricFound",
            "the HPA was able to successfully calculate a replica count from \(outcome.metric)")
        return outcome
    }

    private func measure(
        _ metric: JSONValue, _ pass: AutoscalerPass, _ current: Int, _ selector: String
    ) async throws(MetricError) -> (replicas: Int, name: String, status: JSONValue) {
        let type = metric["type"]?.string ?? ""
        guard type == "Resource" || type == "ContainerResource" else {
            let api = type == "External" ? "external" : "custom"
            throw MetricError(
                message: "unable to get metric: unable to fetch metrics from \(api) metrics API: no \(api) metrics API "
                    + "(\(api).metrics.k8s.io) registered")
        }
        let member = type == "Resource" ? "resource" : "containerResource"
        let source = metric[member] ?? [:]
        let resource = source["name"]?.string ?? ""
        let container = source["container"]?.string
        let calculator = ReplicaCalculator(resource: resource, container: container, now: pass.now)
        let outcome: ReplicaCalculator.Outcome
        do throws(MetricError) {
            let (pods, measured) = try await read(pass.object.namespace, selector, resource, container)
            if let amount = source[["target", "averageValue"]]?.string.flatMap(Quantity.init(parsing:)) {
                outcome = try calculator.replicas(
                    current: current, targetAmount: amount.milliValue, pods: pods, measured: measured)
            } else {
                outcome = try calculator.replicas(
                    current: current, targetUtilization: source[["target", "averageUtilization"]]?.int ?? 80,
                    pods: pods, measured: measured)
            }
        } catch {
            throw MetricError(message: "failed to get \(resource) utilization: \(error.message)")
        }
        var status: JSONValue = ["name": .string(resource)]
        if let container { status["container"] = .string(container) }
        var value: JSONValue = ["averageValue": .string(Quantity(milliValue: outcome.average).description)]
        if let utilization = outcome.utilization { value["averageUtilization"] = JSONValue(utilization) }
        status["current"] = value
        let kind = container == nil ? "resource" : "container resource"
        let name =
            outcome.utilization == nil
            ? "\(resource) \(kind)" : "\(resource) \(kind) utilization (percentage of request)"
        return (outcome.replicas, name, ["type": .string(type), member: status])
    }

    private func read(
        _ namespace: String?, _ selector: String, _ resource: String, _ container: String?
    ) async throws(MetricError) -> (pods: [Pod], measured: [String: ReplicaCalculator.Measured]) {
        let options = ListOptions(labelSelector: selector)
        do throws(Status) {
            let metrics = try await client.list(.podMetrics, namespace: namespace, options: options).items
            let pods = try await client.list(.pods, namespace: namespace, options: options).items.map(Pod.init)
            var measured: [String: ReplicaCalculator.Measured] = [:]
            for item in metrics {
                let containers = (item.value["containers"]?.array ?? []).filter {
                    container == nil || $0["name"]?.string == container
                }
                let amounts = containers.compactMap {
                    $0[["usage", resource]]?.string.flatMap(Quantity.init(parsing:))
                }
                guard !amounts.isEmpty, amounts.count == containers.count else { continue }
                let time = item.value["timestamp"]?.string.flatMap(Timestamp.init(parsing:)) ?? .now
                measured[item.name] = ReplicaCalculator.Measured(
                    amount: amounts.reduce(0) { $0 + $1.milliValue }, time: time,
                    window: Self.window(item.value["window"]?.string))
            }
            return (pods, measured)
        } catch {
            throw MetricError(
                message:
                    "unable to get metrics for resource \(resource): unable to fetch metrics from resource metrics "
                    + "API: \(error.message)")
        }
    }

    private static func window(_ text: String?) -> Duration {
        let seconds = text.flatMap { $0.hasSuffix("s") ? Double($0.dropLast()) : nil } ?? 0
        return .milliseconds(Int64(seconds * 1000))
    }
}
