print("workloads")
