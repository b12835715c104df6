D = {"router": 3000, "frontend": 3001, "backend": 8000, "postgres": 5432, "redis": 6379}
B = {"router": 3100, "frontend": 3101, "backend": 8100, "postgres": 5532, "redis": 6479}


def choose_ports(written, recorded, taken):
    base = {**D, **recorded, **written}
    if recorded or not any(taken(p) for n, p in base.items() if n not in written):
        return base
    for k in range(500):
        c = {n: written.get(n, p + 100 * k) for n, p in B.items()}
        if not any(taken(p) for n, p in c.items() if n not in written):
            return c
