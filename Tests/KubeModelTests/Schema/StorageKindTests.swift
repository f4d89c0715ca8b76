import KubeModel
import Testing

@Suite("Volumes and claims", .timeLimit(.minutes(5))) struct StorageKindTests {
    private func claim(
        _ spec: String = #""resources": {"requests": {"storage": "1Gi"}}"#, modes: String = #"["ReadWriteOnce"]"#
    )
        -> String
    {
        #"{"metadata": {"name": "data"}, "spec": {"accessModes": \#(modes), \#(spec)}}"#
    }

    private func volume(_ spec: String, capacity: String = #"{"storage": "1Gi"}"#) -> String {
        """
        {"metadata": {"name": "disk"}, "spec": {"capacity": \(capacity), "accessModes": ["ReadWriteOnce"]\
        \(spec.isEmpty ? "" : ", ")\(spec)}}
        """
    }

    @Test("a new claim waits, and is protected while pods use it")
    func newClaim() throws {
        let source =
            #""dataSource": {"kind": "PersistentVolumeClaim", "name": "old"}, "resources": {"requests": {"storage": "1Gi"}}"#
        let claim = try Fixture.created(.persistentVolumeClaims, claim(source))
        #expect(claim.value["status"] == ["phase": "Pending"])
        #expect(claim.finalizers == ["kubernetes.io/pvc-protection"])
        #expect(claim.value[["spec", "volumeMode"]] == "Filesystem")
        #expect(claim.value[["spec", "dataSourceRef"]] == claim.value[["spec", "dataSource"]])
        #expect(try Fixture.kind(.persistentVolumeClaims).validate(claim) == [])
    }

    @Test(
        "what a claim must not say",
        arguments: [
            (#""resources": {}"#, #"["ReadWriteOnce"]"#, "spec.resources[storage]: Required value"),
            (
                #""resources": {"requests": {"storage": "0"}}"#, #"["ReadWriteOnce"]"#,
                #"spec.resources[storage]: Invalid value: "0": must be greater than zero"#
            ),
            (
                #""resources": {"requests": {"storage": "1"}}"#, "[]",
                "spec.accessModes: Required value: at least 1 access mode is required"
            ),
            (
                #""resources": {"requests": {"storage": "1"}}"#, #"["Some"]"#,
                #"spec.accessModes: Unsupported value: "Some": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod""#
            ),
            (
                #""resources": {"requests": {"storage": "1"}}"#, #"["ReadWriteOncePod", "ReadWriteOnce"]"#,
                "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"
            ),
            (
                #""resources": {"requests": {"storage": "1"}}, "dataSource": {"kind": "X", "name": "y"}, "dataSourceRef": {"kind": "X", "name": "y"}"#,
                #"["ReadWriteOnce"]"#,
                #"spec.dataSource: Invalid value: "X": must be 'PersistentVolumeClaim' when referencing the default apiGroup"#
            ),
        ])
    func claimRefusals(spec: String, modes: String, error: String) throws {
        #expect(try Fixture.refusals(.persistentVolumeClaims, claim(spec, modes: modes)).first == error)
    }

    @Test("a claim stays as it is, except that a bound one may grow")
    func claimUpdate() throws {
        let size = ["spec", "resources", "requests", "storage"]
        func bind(_ claim: inout KubeObject) {
            claim.value["status"] = ["phase": "Bound", "capacity": ["storage": "1Gi"]]
            claim.value[["spec", "volumeName"]] = "disk"
        }
        let waiting = try Fixture.changed(.persistentVolumeClaims, claim()) { $0.value[size] = "2Gi" }
        #expect(waiting.errors.count == 1)
        #expect(
            waiting.errors.first?.hasPrefix(
                "spec: Forbidden: spec is immutable after creation except resources.requests and "
                    + "volumeAttributesClassName for bound claims\n") == true)
        let bound = try Fixture.changed(.persistentVolumeClaims, claim(), from: bind) { $0.value[size] = "2Gi" }
        #expect(bound.errors == [])
        let smaller = try Fixture.changed(.persistentVolumeClaims, claim(), from: bind) { $0.value[size] = "500Mi" }
        #expect(
            smaller.errors == [
                "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"
            ])
        let served = try Fixture.changed(.persistentVolumeClaims, claim()) { $0.value[["spec", "volumeName"]] = "a" }
        #expect(served.errors == [])
        let moved = try Fixture.changed(.persistentVolumeClaims, claim(), from: bind) {
            $0.value[["spec", "volumeName"]] = "other"
        }
        #expect(moved.errors.count == 1)
    }

    @Test("a new volume waits with its data kept by default")
    func newVolume() throws {
        let volume = try Fixture.created(.persistentVolumes, volume(#""hostPath": {"path": "/data"}"#))
        #expect(
            volume.value["status"] == ["phase": "Pending", "lastPhaseTransitionTime": .string(Fixture.now.text)])
        #expect(volume.finalizers == ["kubernetes.io/pv-protection"])
        #expect(volume.value[["spec", "persistentVolumeReclaimPolicy"]] == "Retain")
        #expect(volume.value[["spec", "hostPath"]] == ["path": "/data", "type": ""])
        #expect(try Fixture.kind(.persistentVolumes).validate(volume) == [])
    }

    @Test(
        "what a volume must not say",
        arguments: [
            ("", "spec: Required value: must specify a volume type"),
            (
                #""hostPath": {"path": "/a"}, "nfs": {"server": "s", "path": "/"}"#,
                "spec.nfs: Forbidden: may not specify more than 1 volume type"
            ),
            (
                #""local": {"path": "/a"}"#,
                "spec.nodeAffinity: Required value: Local volume requires node affinity"
            ),
            (
                #""hostPath": {"path": "/"}, "persistentVolumeReclaimPolicy": "Recycle""#,
                "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"
            ),
            (
                #""hostPath": {"path": "/a"}, "persistentVolumeReclaimPolicy": "Burn""#,
                #"spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain""#
            ),
        ])
    func volumeRefusals(spec: String, error: String) throws {
        #expect(try Fixture.refusals(.persistentVolumes, volume(spec)) == [error])
    }

    @Test("a volume has a size, and only a size")
    func capacity() throws {
        let source = #""hostPath": {"path": "/a"}"#
        #expect(
            try Fixture.refusals(.persistentVolumes, volume(source, capacity: "{}")) == [
                "spec.capacity: Required value",
                #"spec.capacity: Unsupported value: core.ResourceList(nil): supported values: "storage""#,
            ])
        #expect(
            try Fixture.refusals(.persistentVolumes, volume(source, capacity: #"{"storage": "0"}"#)) == [
                #"spec.capacity[storage]: Invalid value: "0": must be greater than zero"#
            ])
    }

    @Test("where the bytes of a volume are never changes")
    func source() throws {
        let changed = try Fixture.changed(.persistentVolumes, volume(#""hostPath": {"path": "/a"}"#)) {
            $0.value[["spec", "hostPath", "path"]] = "/b"
        }
        #expect(
            changed.errors.first?.hasPrefix(
                "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n")
                == true)
    }

    @Test("columns of kubectl get")
    func columns() throws {
        #expect(
            try Fixture.line(.persistentVolumeClaims, claim(#""storageClassName": "fast""#))
                == "data|Pending||||fast|<unset>|5m|Filesystem")
        let bound = try Fixture.line(.persistentVolumeClaims, claim(#""storageClassName": "fast""#)) {
            $0.value[["spec", "volumeName"]] = "disk"
            $0.value["status"] = [
                "phase": "Bound", "capacity": ["storage": "2Gi"], "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
            ]
        }
        #expect(bound == "data|Bound|disk|2Gi|RWO,RWX|fast|<unset>|5m|Filesystem")
        let spec = #""hostPath": {"path": "/a"}, "claimRef": {"namespace": "lab", "name": "data"}"#
        let line = try Fixture.line(.persistentVolumes, volume(spec)) { $0.value["status"] = ["phase": "Bound"] }
        #expect(line == "disk|1Gi|RWO|Retain|Bound|lab/data||<unset>||5m|Filesystem")
    }
}
