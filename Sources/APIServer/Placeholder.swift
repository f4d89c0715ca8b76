enum APIServerPlaceholder {}
