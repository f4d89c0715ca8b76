print("velocity")
