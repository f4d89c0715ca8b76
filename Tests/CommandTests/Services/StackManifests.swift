/// The manifests of week 6 as the course prints them, with the settings moved into ConfigMap and Secret.
///
/// The node port is left to the cluster, so that tests do not meet on one.
enum StackManifests {
    static let gateway = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: payment-gateway-deployment, namespace: velocitytech, labels: {app: payment-gateway}}
        spec:
          replicas: 3
          strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}
          selector: {matchLabels: {app: payment-gateway}}
          template:
            metadata: {labels: {app: payment-gateway, version: "1.0"}}
            spec:
              containers:
              - name: payment-gateway
                image: velocitytech/payment-gateway:optimized
                ports: [{containerPort: 3000, name: http}]
                envFrom: [{configMapRef: {name: payment-gateway-config}}]
                env:
                - {name: DB_HOST, value: postgres-service}
                - {name: REDIS_URL, value: "redis://redis-service:6379"}
                - {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: payment-gateway-secrets, key: DB_PASSWORD}}}
                - {name: API_KEY, valueFrom: {secretKeyRef: {name: payment-gateway-secrets, key: API_KEY}}}
                resources: {requests: {memory: 128Mi, cpu: 100m}, limits: {memory: 256Mi, cpu: 500m}}
                livenessProbe:
                  {httpGet: {path: /health, port: 3000}, initialDelaySeconds: 30, periodSeconds: 10, timeoutSeconds: 5}
                readinessProbe:
                  {httpGet: {path: /ready, port: 3000}, initialDelaySeconds: 5, periodSeconds: 5, timeoutSeconds: 3}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: payment-gateway-config, namespace: velocitytech}
        data: {NODE_ENV: production, PORT: "3000", LOG_LEVEL: info, MAX_CONNECTIONS: "100", TIMEOUT_MS: "30000"}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: payment-gateway-secrets, namespace: velocitytech}
        type: Opaque
        data: {DB_PASSWORD: cHJvZF9wYXNzd29yZA==, API_KEY: c2VjcmV0X2FwaV9rZXk=}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: payment-gateway-external, namespace: velocitytech, labels: {app: payment-gateway}}
        spec:
          type: NodePort
          selector: {app: payment-gateway}
          ports: [{name: http, protocol: TCP, port: 80, targetPort: 3000}]
        """

    static let postgres = """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: postgres-deployment, namespace: velocitytech}
        spec:
          replicas: 1
          selector: {matchLabels: {app: postgres}}
          template:
            metadata: {labels: {app: postgres}}
            spec:
              containers:
              - name: postgres
                image: postgres:14-alpine
                ports: [{containerPort: 5432}]
                env:
                - {name: POSTGRES_DB, value: payment_prod}
                - {name: POSTGRES_USER, value: prod_user}
                - {name: POSTGRES_PASSWORD, value: prod_password}
                - {name: PGDATA, value: /var/lib/postgresql/data/pgdata}
                volumeMounts: [{name: postgres-storage, mountPath: /var/lib/postgresql/data}]
                readinessProbe:
                  exec: {command: [/bin/sh, -c, pg_isready -U prod_user -d payment_prod]}
                  initialDelaySeconds: 15
                  periodSeconds: 5
              volumes: [{name: postgres-storage, emptyDir: {}}]
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: postgres-service, namespace: velocitytech}
        spec:
          selector: {app: postgres}
          ports: [{protocol: TCP, port: 5432, targetPort: 5432}]
        """

    /// A database and a gateway that is ready when it has got in.
    static func pair(_ name: String, method: String?, password: String) -> String {
        let access = method.map { "- {name: POSTGRES_HOST_AUTH_METHOD, value: \($0)}" } ?? ""
        return """
            apiVersion: v1
            kind: Pod
            metadata: {name: db-\(name), labels: {app: db-\(name)}}
            spec:
              containers:
              - name: postgres
                image: postgres:15-alpine
                env:
                - {name: POSTGRES_PASSWORD, value: "\(password)"}
                \(access)
                volumeMounts:
                - {name: data, mountPath: /var/lib/postgresql/data}
                - {name: scripts, mountPath: /docker-entrypoint-initdb.d}
              volumes:
              - {name: data, emptyDir: {}}
              - {name: scripts, configMap: {name: scripts}}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: db-\(name)}
            spec: {selector: {app: db-\(name)}, ports: [{port: 5432}]}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: gateway-\(name)}
            spec:
              containers:
              - name: gateway
                image: velocitytech/payment-gateway:1.1
                env:
                - {name: DB_HOST, value: db-\(name)}
                - {name: DB_NAME, value: ledger}
                - {name: DB_USER, value: clerk}
                - {name: DB_PASSWORD, value: "pass'word"}
                - {name: DB_REQUIRED, value: "true"}
                readinessProbe: {httpGet: {path: /ready, port: 3000}, periodSeconds: 1}

            """
    }

    static let scripts = """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: scripts}
        data:
          1-roles.sql: |
            CREATE ROLE clerk LOGIN PASSWORD 'pass''word';
            CREATE DATABASE ledger OWNER clerk;
          2-note.sh: |
            psql -c "COMMENT ON DATABASE ledger IS 'made by a script'"
        """
}
