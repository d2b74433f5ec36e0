"""SciPy: optimisation, integration, sparse and dense algebra, statistics; its C++ and Fortran."""

import numpy as np
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.sparse.linalg
import scipy.spatial
import scipy.special
import scipy.stats
from scipy.fft._duccfft import pyduccfft


def digits(values: object, count: int = 6) -> str:
    """The numbers with as many digits as every processor agrees on."""
    return " ".join(f"{value:.{count}g}" for value in np.ravel(values))


random = np.random.default_rng(2)

# Python functions called back from C and Fortran.
found = scipy.optimize.minimize(scipy.optimize.rosen, [1.3, 0.7, 0.8, 1.9, 1.2], method="BFGS")
print("minimum:", digits(found.x, 4), found.success)
print("root:", digits(scipy.optimize.brentq(lambda x: np.cos(x) - x, 0, 1)))
print("integral:", digits(scipy.integrate.quad(lambda x: np.exp(-x * x), -np.inf, np.inf)[0]))
orbit = scipy.integrate.solve_ivp(
    lambda _, y: [y[1], -y[0]], (0, 10), [1, 0], method="LSODA", rtol=1e-9, atol=1e-9
)
print("orbit:", digits(orbit.y[:, -1]))

# C++: HiGHS, and an exception thrown in it that the binding turns into Python's.
plan = scipy.optimize.linprog([-1, -2], [[1, 1], [1, -1]], [4, 2], bounds=[(0, None), (0, 3)])
print("linear program:", digits(plan.x), digits(plan.fun))
knapsack = scipy.optimize.milp(
    [-60, -100, -120], constraints=([[10, 20, 30]], 0, 50), integrality=1, bounds=(0, 1)
)
print("knapsack:", digits(knapsack.x), knapsack.status)
for _ in range(20):
    try:
        pyduccfft.c2c(np.ones(4, complex), inorm=7)
    except ValueError as error:
        thrown = error
print("thrown in C++:", thrown)

sparse = scipy.sparse.diags_array([-1, 2.5, -1], offsets=[-1, 0, 1], shape=(2000, 2000)).tocsc()
print("sparse LU:", digits(scipy.sparse.linalg.spsolve(sparse, np.ones(2000))[[0, 1, 999]]))
print("ARPACK:", digits(scipy.sparse.linalg.eigsh(sparse, 3, sigma=0.5, v0=np.ones(2000))[0]))
graph = scipy.sparse.csr_array(random.random((60, 60)) * (random.random((60, 60)) < 0.1))
print("shortest paths:", digits(scipy.sparse.csgraph.dijkstra(graph, indices=0)[1:6]))

dense = random.random((60, 60))
print("expm:", digits(scipy.linalg.expm(dense / 60)[0, :3]))
print("LU:", digits(np.abs(np.diag(scipy.linalg.lu_factor(dense)[0]))[:3]))
print(
    "fft:",
    digits(np.abs(scipy.fft.fft(dense[0], workers=2))[:3]),
    digits(scipy.fft.dct(dense[0])[:3]),
)
print("Bessel:", digits(scipy.special.jv([0, 1, 2.5], 3.7)), digits(scipy.special.gamma(4.5)))

points = random.random((2000, 3))
tree = scipy.spatial.KDTree(points)
print("nearest:", tree.query(points[:4] + 0.01, workers=2)[1], len(tree.query_pairs(0.05)))
print("hull:", digits(scipy.spatial.ConvexHull(points).volume))
print("Delaunay:", len(scipy.spatial.Delaunay(points[:200, :2]).simplices))
spline = scipy.interpolate.CubicSpline(np.arange(10), np.sin(np.arange(10)))
print("spline:", digits(spline([0.5, 4.25])))
sample = random.normal(3, 2, 500)
test = scipy.stats.ttest_1samp(sample, 3)
print("t test:", digits([test.statistic, test.pvalue]), digits(scipy.stats.norm.ppf([0.1, 0.975])))
print("filter:", digits(scipy.signal.lfilter(*scipy.signal.butter(4, 0.2), sample)[-3:]))
print("labels:", scipy.ndimage.label(random.random((80, 80)) > 0.6)[1])
