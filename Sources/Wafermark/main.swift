print("wafermark")
