public import CourseModel
import Foundation
public import KubeClient
public import KubeModel

extension ProgressStore {
    /// Puts together what a learner hands in for a lab.
    ///
    /// `manifests` are the learner's objects; see ``Submission/finalManifests(of:in:)``. Throws
    /// `ProgressError.submission` when there is nothing to hand in, or the record was altered.
    public func submission(
        of learner: LearnerID, lab: LabID, manifests: [KubeObject]
    ) throws(ProgressError) -> Submission {
        let everybody = try learners()
        guard let person = everybody.first(where: { $0.id == learner }) else {
            throw .unknownLearner(learner, known: everybody.map(\.id))
        }
        let attempts = try attempts(of: learner, lab: lab)
        guard !attempts.isEmpty else {
            throw .submission(
                reason: "There is nothing to hand in for '\(lab)' yet.",
                hint: "Judge a checkpoint first: 'velocity check \(lab)'.")
        }
        let hints = try hints(of: learner, lab: lab)
        do {
            guard try HashChain.firstBreak(in: attempts) == nil else {
                throw ProgressError.submission(
                    reason:
                        "The record of '\(learner)' in '\(lab)' was changed outside of VelocityLab, so it cannot be handed in.",
                    hint: "Tell your instructor, or start over as a new learner with 'velocity learner add'.")
            }
            return try Submission(
                id: UUID().uuidString.lowercased(), created: now(), learner: person, lab: lab, attempts: attempts,
                hints: hints, manifests: manifests.map(\.value))
        } catch {
            throw ProgressError(error, path: path)
        }
    }
}

extension Submission {
    /// The objects that a learner has made in a namespace, without what the cluster adds: status, uids, managed fields.
    ///
    /// Of Secrets only the keys are taken.
    public static func finalManifests(
        of client: any ClusterClient, in namespace: String
    ) async throws(Status) -> [KubeObject] {
        let kinds: [ResourceType] = [.deployments, .services, .configMaps, .secrets, .pods]
        var manifests: [KubeObject] = []
        for resource in kinds {
            for object in try await client.list(resource, in: namespace).items where object.ownerReferences.isEmpty {
                manifests.append(cleaned(object, resource))
            }
        }
        return manifests
    }

    private static func cleaned(_ object: KubeObject, _ resource: ResourceType) -> KubeObject {
        var object = object
        object.value["apiVersion"] = .string(resource.apiVersion)
        object.value["kind"] = .string(resource.kind)
        object.value["status"] = nil
        for member in ["managedFields", "resourceVersion", "uid", "selfLink"] {
            object.value[["metadata", member]] = nil
        }
        object.value[["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"]] = nil
        if resource == .secrets, let data = object.value["data"]?.object {
            object.value["data"] = .object(data.mapValues { _ in "" })
        }
        return object
    }
}
