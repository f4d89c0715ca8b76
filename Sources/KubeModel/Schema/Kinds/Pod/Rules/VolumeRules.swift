/// What Kubernetes says about volumes.
enum VolumeRules {
    /// The sources in the order in which they are looked at: the first counts, every further one is too much.
    private static let order = [
        "emptyDir", "hostPath", "gitRepo", "gcePersistentDisk", "awsElasticBlockStore", "secret", "nfs", "iscsi",
        "glusterfs", "flocker", "persistentVolumeClaim", "rbd", "cinder", "cephfs", "quobyte", "downwardAPI", "fc",
        "flexVolume", "configMap", "azureFile", "vsphereVolume", "photonPersistentDisk", "portworxVolume",
        "azureDisk", "storageos", "projected", "scaleIO", "csi", "ephemeral", "image",
    ]

    /// The names under which messages know two of the sources.
    private static let namesInMessages = ["cephfs": "cephFS", "downwardAPI": "downwarAPI"]

    static func checkSource(
        of volume: JSONValue, _ path: FieldPath, podName: String?, _ errors: inout [FieldError]
    ) {
        let given = order.filter { volume[$0] != nil }
        guard let first = given.first, let source = volume[first] else {
            return errors.append(.required(path, "must specify a volume type"))
        }
        // Messages know this source under another name.
        let place = path.child(first == "gcePersistentDisk" ? "persistentDisk" : first)
        check(source, first, place, isPod: podName != nil, &errors)
        for extra in given.dropFirst() {
            errors.append(
                .forbidden(path.child(namesInMessages[extra] ?? extra), "may not specify more than 1 volume type"))
        }
        if first == "ephemeral", let podName, let name = volume["name"]?.string, !name.isEmpty {
            for complaint in NameSyntax.dnsSubdomain("\(podName)-\(name)") {
                errors.append(
                    .invalid(
                        path.child("name"), .string(name),
                        "PVC name \(GoText.quote("\(podName)-\(name)")): \(complaint)"))
            }
        }
    }

    /// Members that a source must have.
    private static let required: [String: [String]] = [
        "hostPath": ["path"], "gitRepo": ["repository"], "awsElasticBlockStore": ["volumeID"],
        "secret": ["secretName"], "nfs": ["server", "path"], "glusterfs": ["endpoints", "path"],
        "persistentVolumeClaim": ["claimName"], "rbd": ["monitors", "image"], "cinder": ["volumeID"],
        "cephfs": ["monitors"], "flexVolume": ["driver"], "configMap": ["name"],
        "azureFile": ["secretName", "shareName"], "vsphereVolume": ["volumePath"], "photonPersistentDisk": ["pdID"],
        "gcePersistentDisk": ["pdName"], "portworxVolume": ["volumeID"], "azureDisk": ["diskName", "diskURI"],
        "csi": ["driver"],
        "iscsi": ["targetPortal", "iqn"], "scaleIO": ["gateway", "system", "volumeName"],
    ]

    private static func check(
        _ source: JSONValue, _ type: String, _ path: FieldPath, isPod: Bool, _ errors: inout [FieldError]
    ) {
        for name in required[type] ?? [] where JSONValue.isEmpty(source[name]) {
            errors.append(.required(path.child(name)))
        }
        switch type {
        case "emptyDir":
            if let limit = Quantity(source["sizeLimit"]), limit.milliValue < 0 {
                errors.append(
                    .forbidden(path.child("sizeLimit"), "SizeLimit field must be a valid resource quantity"))
            }
        case "hostPath": checkHostPath(source, path, &errors)
        case "gitRepo": errors.descends(path.child("directory"), source["directory"]?.string ?? "")
        case "nfs":
            let text = source["path"]?.string ?? ""
            if !text.hasPrefix("/") {
                errors.append(.invalid(path.child("path"), .string(text), "must be an absolute path"))
            }
        case "secret", "configMap":
            checkMode(source["defaultMode"], path.child("defaultMode"), &errors)
            checkItems(source, path.child("items"), &errors)
        case "downwardAPI":
            checkMode(source["defaultMode"], path.child("defaultMode"), &errors)
            for file in source.list("items") { checkFile(file, path, &errors) }
        case "projected":
            checkMode(source["defaultMode"], path.child("defaultMode"), &errors)
            ProjectionRules(path: path).check(source.list("sources"), &errors)
        case "ephemeral": checkClaim(source, path, &errors)
        case "image":
            if isPod, JSONValue.isEmpty(source["reference"]) { errors.append(.required(path.child("reference"))) }
            errors.oneOf(path.child("pullPolicy"), source["pullPolicy"]?.string, ["Always", "IfNotPresent", "Never"])
        default: checkDisk(source, type, path, &errors)
        }
    }

    private static func checkHostPath(_ source: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let text = source["path"]?.string, !text.isEmpty else { return }
        errors.staysInside(path.child("path"), text)
        errors.oneOf(
            path.child("type"), source["type"]?.string,
            ["", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"])
    }

    private static func checkClaim(_ source: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let template = source["volumeClaimTemplate"] else {
            return errors.append(.required(path.child("volumeClaimTemplate")))
        }
        let place = path.child("volumeClaimTemplate")
        MetadataRules.labels(template[["metadata", "labels"]], at: place.child("metadata", "labels"), into: &errors)
        StorageSchemas.claimSpec.validate(template["spec"] ?? [:], at: place.child("spec"), into: &errors)
    }

    private static func checkDisk(
        _ source: JSONValue, _ type: String, _ path: FieldPath, _ errors: inout [FieldError]
    ) {
        switch type {
        case "flocker":
            let given = ["datasetName", "datasetUUID"].filter { !JSONValue.isEmpty(source[$0]) }
            if given.isEmpty { errors.append(.required(path, "one of datasetName and datasetUUID is required")) }
            if given.count == 2 {
                errors.append(
                    .invalid(path, "resource", "datasetName and datasetUUID can not be specified simultaneously"))
            }
        case "fc":
            let given = ["targetWWNs", "wwids"].filter { !JSONValue.isEmpty(source[$0]) }
            if given.isEmpty {
                errors.append(
                    .required(path.child("targetWWNs"), "must specify either targetWWNs or wwids, but not both"))
            }
            if given.count == 2 {
                errors.append(
                    .invalid(
                        path.child("targetWWNs"), source["targetWWNs"],
                        "targetWWNs and wwids can not be specified simultaneously"))
            }
            guard given.contains("targetWWNs") else { return }
            if source["lun"] == nil {
                errors.append(.required(path.child("lun"), "lun is required if targetWWNs is specified"))
            }
            errors.inRange(path.child("lun"), source["lun"]?.int, 0...255)
        case "flexVolume":
            for key in (source["options"]?.object ?? [:]).keys {
                let domain = ".\(key.split(separator: "/").first?.lowercased() ?? "")"
                guard domain.hasSuffix(".kubernetes.io") || domain.hasSuffix(".k8s.io") else { continue }
                errors.append(
                    .invalid(
                        path.child("options")[key], .string(key), "kubernetes.io and k8s.io namespaces are reserved"))
            }
        case "cinder", "csi":
            let name = type == "csi" ? "nodePublishSecretRef" : "secretRef"
            if let reference = source[name], JSONValue.isEmpty(reference["name"]) {
                errors.append(.required(path.child(name, "name")))
            }
        case "quobyte":
            if JSONValue.isEmpty(source["registry"]) {
                errors.append(
                    .required(
                        path.child("registry"), "must be a host:port pair or multiple pairs separated by commas"))
            }
            if JSONValue.isEmpty(source["volume"]) { errors.append(.required(path.child("volume"))) }
        default: return
        }
    }

    // MARK: Files

    static func checkMode(_ mode: JSONValue?, _ path: FieldPath, _ errors: inout [FieldError]) {
        guard let number = mode?.int, !(0...0o777 ~= number) else { return }
        errors.append(.invalid(path, mode, "must be a number between 0 and 0777 (octal), both inclusive"))
    }

    static func checkItems(_ source: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        for (index, item) in source.list("items").enumerated() {
            let here = path[index]
            errors.require(here.child("key"), item["key"]?.string)
            errors.require(here.child("path"), item["path"]?.string)
            errors.isFreePath(here.child("path"), item["path"]?.string ?? "")
            checkMode(item["mode"], here.child("mode"), &errors)
        }
    }

    /// A fact of the pod as a file; messages name the list, not the element.
    static func checkFile(_ file: JSONValue, _ path: FieldPath, _ errors: inout [FieldError]) {
        errors.require(path.child("path"), file["path"]?.string)
        errors.isFreePath(path.child("path"), file["path"]?.string ?? "")
        if let field = file["fieldRef"] {
            EnvironmentRules.checkField(
                field, ofPod: EnvironmentRules.fieldsOfFiles, path.child("fieldRef"), &errors)
            if file["resourceFieldRef"] != nil {
                errors.append(
                    .invalid(path, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously"))
            }
        } else if let resource = file["resourceFieldRef"] {
            EnvironmentRules.checkResource(resource, path.child("resourceFieldRef"), needsContainer: true, &errors)
        } else {
            errors.append(.required(path, "one of fieldRef and resourceFieldRef is required"))
        }
        checkMode(file["mode"], path.child("mode"), &errors)
    }
}

/// What Kubernetes says about volumes that hold several sources in one directory.
struct ProjectionRules {
    let path: FieldPath
    private var taken: Set<String> = []

    init(path: FieldPath) { self.path = path }

    func check(_ sources: [JSONValue], _ errors: inout [FieldError]) {
        var rules = self
        for (index, source) in sources.enumerated() { rules.check(source, path.child("sources")[index], &errors) }
    }

    private mutating func take(_ file: String, shown: JSONValue, _ errors: inout [FieldError]) {
        guard !file.isEmpty, !taken.insert(file).inserted else { return }
        errors.append(.invalid(path, shown, "conflicting duplicate paths"))
    }

    private mutating func check(_ source: JSONValue, _ here: FieldPath, _ errors: inout [FieldError]) {
        var count = 0
        for name in ["secret", "configMap"] {
            guard let object = source[name] else { continue }
            count += 1
            errors.require(here.child(name, "name"), object["name"]?.string)
            VolumeRules.checkItems(object, here.child(name, "items"), &errors)
            for item in object.list("items") {
                take(item["path"]?.string ?? "", shown: object["name"] ?? "", &errors)
            }
        }
        if let facts = source["downwardAPI"] {
            count += 1
            for file in facts.list("items") {
                VolumeRules.checkFile(file, here.child("downwardAPI"), &errors)
                take(file["path"]?.string ?? "", shown: file["path"] ?? "", &errors)
            }
        }
        if let token = source["serviceAccountToken"] {
            count += 1
            let seconds = token["expirationSeconds"]?.int ?? 0
            let place = here.child("serviceAccountToken", "expirationSeconds")
            if seconds < 600 {
                errors.append(
                    .invalid(place, JSONValue(seconds), "may not specify a duration less than 10 minutes"))
            }
            if seconds > 1 << 32 {
                errors.append(
                    .invalid(place, JSONValue(seconds), "may not specify a duration larger than 2^32 seconds"))
            }
            errors.require(path.child("path"), token["path"]?.string)
            errors.isFreePath(path.child("path"), token["path"]?.string ?? "")
        }
        if let bundle = source["clusterTrustBundle"] {
            count += 1
            let place = here.child("clusterTrustBundle")
            if bundle["name"] == nil, bundle["signerName"] == nil {
                errors.append(.required(place, "either name or signerName must be specified"))
            }
            errors.require(place.child("path"), bundle["path"]?.string)
            errors.isFreePath(place.child("path"), bundle["path"]?.string ?? "")
            take(bundle["path"]?.string ?? "", shown: bundle["path"] ?? "", &errors)
        }
        if count > 1 { errors.append(.forbidden(here, "may not specify more than 1 volume type per source")) }
    }
}
