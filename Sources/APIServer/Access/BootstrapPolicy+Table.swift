/// The roles that every cluster has, as Kubernetes 1.32 creates them, one rule a line: verbs, groups, resources, names.
///
/// `R` stands for get, list and watch; `W` for the verbs that write; `core` for the group without a name; `url` for paths.
/// `EVENTS` is the rule by which components write events. After the name of a role, `+x` is the role into which it is
/// aggregated and `=x` says that it is made of those that are aggregated into `x`.
extension BootstrapPolicy {
    static let clusterRoleTable = """
        cluster-admin
          * * *
          * url *
        admin =admin
        edit =edit +admin
        view =view +edit
        system:aggregate-to-admin +admin
          create authorization.k8s.io localsubjectaccessreviews
          R,W rbac.authorization.k8s.io rolebindings,roles
        system:aggregate-to-edit +edit
          R core pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy
          impersonate core serviceaccounts
          W core pods,pods/attach,pods/exec,pods/portforward,pods/proxy
          create core pods/eviction
          W core configmaps,events,persistentvolumeclaims,replicationcontrollers,replicationcontrollers/scale,secrets,\
        serviceaccounts,services,services/proxy
          create core serviceaccounts/token
          W apps daemonsets,deployments,deployments/rollback,deployments/scale,replicasets,replicasets/scale,\
        statefulsets,statefulsets/scale
          W autoscaling horizontalpodautoscalers
          W batch cronjobs,jobs
          W extensions daemonsets,deployments,deployments/rollback,deployments/scale,ingresses,networkpolicies,\
        replicasets,replicasets/scale,replicationcontrollers/scale
          W policy poddisruptionbudgets
          W networking.k8s.io ingresses,networkpolicies
          R,W coordination.k8s.io leases
        system:aggregate-to-view +view
          R core configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,\
        replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status
          R core bindings,events,limitranges,namespaces/status,pods/log,pods/status,replicationcontrollers/status,\
        resourcequotas,resourcequotas/status
          R core namespaces
          R discovery.k8s.io endpointslices
          R apps controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,\
        replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,statefulsets/status
          R autoscaling horizontalpodautoscalers,horizontalpodautoscalers/status
          R batch cronjobs,cronjobs/status,jobs,jobs/status
          R extensions daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,ingresses,\
        ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,replicationcontrollers/scale
          R policy poddisruptionbudgets,poddisruptionbudgets/status
          R networking.k8s.io ingresses,ingresses/status,networkpolicies
        system:auth-delegator
          create authentication.k8s.io tokenreviews
          create authorization.k8s.io subjectaccessreviews
        system:basic-user
          create authorization.k8s.io selfsubjectaccessreviews,selfsubjectrulesreviews
          create authentication.k8s.io selfsubjectreviews
        system:certificates.k8s.io:certificatesigningrequests:nodeclient
          create certificates.k8s.io certificatesigningrequests/nodeclient
        system:certificates.k8s.io:certificatesigningrequests:selfnodeclient
          create certificates.k8s.io certificatesigningrequests/selfnodeclient
        system:certificates.k8s.io:kube-apiserver-client-approver
          approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client
        system:certificates.k8s.io:kube-apiserver-client-kubelet-approver
          approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
        system:certificates.k8s.io:kubelet-serving-approver
          approve certificates.k8s.io signers kubernetes.io/kubelet-serving
        system:certificates.k8s.io:legacy-unknown-approver
          approve certificates.k8s.io signers kubernetes.io/legacy-unknown
        system:discovery
          get url /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/
        system:heapster
          R core events,namespaces,nodes,pods
          R extensions deployments
        system:kube-aggregator
          R core endpoints,services
        system:kube-controller-manager
          EVENTS
          create coordination.k8s.io leases
          get,update coordination.k8s.io leases kube-controller-manager
          create core secrets,serviceaccounts
          delete core secrets
          get core configmaps,namespaces,secrets,serviceaccounts
          update core secrets,serviceaccounts
          create authentication.k8s.io tokenreviews
          create authorization.k8s.io subjectaccessreviews
          list,watch * *
          create core serviceaccounts/token
        system:kube-dns
          list,watch core endpoints,services
        system:kube-scheduler
          EVENTS
          create coordination.k8s.io leases
          get,update coordination.k8s.io leases kube-scheduler
          R core nodes
          delete,R core pods
          create core bindings,pods/binding
          patch,update core pods/status
          R core replicationcontrollers,services
          R apps,extensions replicasets
          R apps statefulsets
          R policy poddisruptionbudgets
          R core persistentvolumeclaims,persistentvolumes
          create authentication.k8s.io tokenreviews
          create authorization.k8s.io subjectaccessreviews
          R storage.k8s.io csinodes
          R core namespaces
          R storage.k8s.io csidrivers
          R storage.k8s.io csistoragecapacities
        system:kubelet-api-admin
          R core nodes
          proxy core nodes
          * core nodes/log,nodes/metrics,nodes/proxy,nodes/stats
        system:monitoring
          get url /healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*
        system:node
          create authentication.k8s.io tokenreviews
          create authorization.k8s.io localsubjectaccessreviews,subjectaccessreviews
          R core services
          create,R core nodes
          patch,update core nodes/status
          patch,update core nodes
          create,patch,update core events
          R core pods
          create,delete core pods
          patch,update core pods/status
          create core pods/eviction
          R core configmaps,secrets
          get core persistentvolumeclaims,persistentvolumes
          get core endpoints
          create,R certificates.k8s.io certificatesigningrequests
          create,delete,get,patch,update coordination.k8s.io leases
          get storage.k8s.io volumeattachments
          create core serviceaccounts/token
          get,patch,update core persistentvolumeclaims/status
          R storage.k8s.io csidrivers
          create,delete,get,patch,update storage.k8s.io csinodes
          R node.k8s.io runtimeclasses
        system:node-bootstrapper
          create,R certificates.k8s.io certificatesigningrequests
        system:node-problem-detector
          get core nodes
          patch core nodes/status
          EVENTS
        system:node-proxier
          list,watch core endpoints,services
          R core nodes
          EVENTS
          list,watch discovery.k8s.io endpointslices
        system:persistent-volume-provisioner
          create,delete,R core persistentvolumes
          R,update core persistentvolumeclaims
          R storage.k8s.io storageclasses
          watch core events
          EVENTS
        system:public-info-viewer
          get url /healthz,/livez,/readyz,/version,/version/
        system:service-account-issuer-discovery
          get url /.well-known/openid-configuration,/openid/v1/jwks
        system:volume-scheduler
          R,patch,update core persistentvolumes
          R storage.k8s.io storageclasses
          R,patch,update core persistentvolumeclaims
        """

    /// Names without `system:controller:`; each is bound to the account of that name in `kube-system`.
    static let controllerTable = """
        attachdetach-controller
          list,watch core persistentvolumeclaims,persistentvolumes
          R core nodes
          patch,update core nodes/status
          list,watch core pods
          EVENTS
          create,delete,R storage.k8s.io volumeattachments
          R storage.k8s.io csidrivers
          R storage.k8s.io csinodes
        certificate-controller
          delete,R certificates.k8s.io certificatesigningrequests
          update certificates.k8s.io certificatesigningrequests/approval,certificatesigningrequests/status
          approve certificates.k8s.io signers kubernetes.io/kube-apiserver-client-kubelet
          sign certificates.k8s.io signers kubernetes.io/kube-apiserver-client,\
        kubernetes.io/kube-apiserver-client-kubelet,kubernetes.io/kubelet-serving,kubernetes.io/legacy-unknown
          create authorization.k8s.io subjectaccessreviews
          EVENTS
        clusterrole-aggregation-controller
          escalate,R,patch,update rbac.authorization.k8s.io clusterroles
        cronjob-controller
          R,update batch cronjobs
          create,delete,R,patch,update batch jobs
          update batch cronjobs/status
          update batch cronjobs/finalizers
          delete,list,watch core pods
          EVENTS
        daemon-set-controller
          R apps,extensions daemonsets
          update apps,extensions daemonsets/status
          update apps,extensions daemonsets/finalizers
          list,watch core nodes
          create,delete,list,patch,watch core pods
          create core pods/binding
          create,delete,R,patch,update apps controllerrevisions
          EVENTS
        deployment-controller
          R,update apps,extensions deployments
          update apps,extensions deployments/status
          update apps,extensions deployments/finalizers
          create,delete,R,patch,update apps,extensions replicasets
          R,update core pods
          EVENTS
        disruption-controller
          R apps,extensions deployments
          R apps,extensions replicasets
          R core replicationcontrollers
          R policy poddisruptionbudgets
          R apps statefulsets
          update policy poddisruptionbudgets/status
          patch,update core pods/status
          get * */scale
          EVENTS
        endpoint-controller
          R core pods,services
          create,delete,R,update core endpoints
          create core endpoints/restricted
          EVENTS
        endpointslice-controller
          R core nodes,pods,services
          update core services/finalizers
          create,delete,R,update discovery.k8s.io endpointslices
          EVENTS
        endpointslicemirroring-controller
          R core endpoints,services
          update core services/finalizers
          update core endpoints/finalizers
          create,delete,R,update discovery.k8s.io endpointslices
          EVENTS
        ephemeral-volume-controller
          R core pods
          update core pods/finalizers
          create,R core persistentvolumeclaims
          EVENTS
        expand-controller
          R,patch,update core persistentvolumes
          patch,update core persistentvolumeclaims/status
          R core persistentvolumeclaims
          EVENTS
          get core services
        generic-garbage-collector
          delete,R,patch,update * *
          EVENTS
        horizontal-pod-autoscaler
          R autoscaling horizontalpodautoscalers
          update autoscaling horizontalpodautoscalers/status
          get,update * */scale
          list,watch core pods
          list metrics.k8s.io pods
          R custom.metrics.k8s.io *
          R external.metrics.k8s.io *
          EVENTS
        job-controller
          R,patch,update batch jobs
          update batch jobs/status
          update batch jobs/finalizers
          create,delete,list,patch,watch core pods
          EVENTS
        legacy-service-account-token-cleaner
          get core configmaps kube-apiserver-legacy-service-account-token-tracking
          delete,patch core secrets
        namespace-controller
          delete,R core namespaces
          update core namespaces/finalize,namespaces/status
          delete,deletecollection,R * *
        node-controller
          delete,R,patch,update core nodes
          patch,update core nodes/status
          patch,update core pods/status
          delete,R core pods
          EVENTS
        persistent-volume-binder
          create,delete,R,update core persistentvolumes
          update core persistentvolumes/status
          R,update core persistentvolumeclaims
          update core persistentvolumeclaims/status
          create,delete,R core pods
          R storage.k8s.io storageclasses
          list,watch core nodes
          EVENTS
          watch core events
          get core services
        pod-garbage-collector
          delete,list,watch core pods
          R core nodes
          patch core pods/status
        pv-protection-controller
          R,update core persistentvolumes
          EVENTS
        pvc-protection-controller
          R,update core persistentvolumeclaims
          R core pods
          EVENTS
        replicaset-controller
          R,update apps,extensions replicasets
          update apps,extensions replicasets/status
          update apps,extensions replicasets/finalizers
          create,delete,list,patch,watch core pods
          EVENTS
        replication-controller
          R,update core replicationcontrollers
          update core replicationcontrollers/status
          update core replicationcontrollers/finalizers
          create,delete,list,patch,watch core pods
          EVENTS
        resourcequota-controller
          list,watch * *
          update core resourcequotas/status
          EVENTS
        root-ca-cert-publisher
          create,update core configmaps
          EVENTS
        route-controller
          list,watch core nodes
          patch core nodes/status
          EVENTS
        service-account-controller
          create core serviceaccounts
          EVENTS
        service-controller
          R core services
          patch,update core services/status
          list,watch core nodes
          EVENTS
        statefulset-controller
          list,watch core pods
          R apps statefulsets
          update apps statefulsets/status
          update apps statefulsets/finalizers
          create,delete,get,patch,update core pods
          create,delete,R,patch,update apps controllerrevisions
          create,R core persistentvolumeclaims
          delete,update core persistentvolumeclaims
          update core pods/finalizers
          EVENTS
        ttl-after-finished-controller
          delete,R batch jobs
          EVENTS
        ttl-controller
          list,patch,update,watch core nodes
          EVENTS
        validatingadmissionpolicy-status-controller
          R admissionregistration.k8s.io validatingadmissionpolicies
          get,patch,update admissionregistration.k8s.io validatingadmissionpolicies/status
          EVENTS
        """

    /// Each of `kube-system`, but for the last.
    static let roleTable = """
        kube-system/extension-apiserver-authentication-reader
          R core configmaps extension-apiserver-authentication
        kube-system/system::leader-locking-kube-controller-manager
          watch core configmaps
          get,update core configmaps kube-controller-manager
        kube-system/system::leader-locking-kube-scheduler
          watch core configmaps
          get,update core configmaps kube-scheduler
        kube-system/system:controller:bootstrap-signer
          R core secrets
        kube-system/system:controller:cloud-provider
          create,R core configmaps
        kube-system/system:controller:token-cleaner
          delete,R core secrets
          EVENTS
        kube-public/system:controller:bootstrap-signer
          R core configmaps
          update core configmaps cluster-info
          EVENTS
        """

    /// Who gets which role: `group:`, `user:` or `account:` (of `kube-system`); the binding is named after the role.
    static let clusterBindingTable = """
        cluster-admin group:system:masters
        system:basic-user group:system:authenticated
        system:discovery group:system:authenticated
        system:kube-controller-manager user:system:kube-controller-manager
        system:kube-dns account:kube-dns
        system:kube-scheduler user:system:kube-scheduler
        system:monitoring group:system:monitoring
        system:node
        system:node-proxier user:system:kube-proxy
        system:public-info-viewer group:system:authenticated group:system:unauthenticated
        system:service-account-issuer-discovery group:system:serviceaccounts
        system:volume-scheduler user:system:kube-scheduler
        """

    static let bindingTable = """
        kube-system/system::extension-apiserver-authentication-reader extension-apiserver-authentication-reader \
        user:system:kube-controller-manager user:system:kube-scheduler
        kube-system/system::leader-locking-kube-controller-manager system::leader-locking-kube-controller-manager \
        user:system:kube-controller-manager account:kube-controller-manager
        kube-system/system::leader-locking-kube-scheduler system::leader-locking-kube-scheduler \
        user:system:kube-scheduler account:kube-scheduler
        kube-system/system:controller:bootstrap-signer system:controller:bootstrap-signer account:bootstrap-signer
        kube-system/system:controller:cloud-provider system:controller:cloud-provider account:cloud-provider
        kube-system/system:controller:token-cleaner system:controller:token-cleaner account:token-cleaner
        kube-public/system:controller:bootstrap-signer system:controller:bootstrap-signer account:bootstrap-signer
        """
}
