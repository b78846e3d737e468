"""
IsolationForest and kNN on the connections of bench/connections.ts: one-hot categories and standardised numbers, as they
are and by log(1 + x). Run: python3 -m venv v && v/bin/pip install scikit-learn pyarrow &&
v/bin/python bench/connections_baselines.py nsl_kdd.arrow
"""

import sys

import numpy as np
import pyarrow.ipc as ipc
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder, StandardScaler

CATEGORIES = ["protocol_type", "service", "flag"]


def main(path):
    table = ipc.open_file(path).read_all()
    label, train = (table[name].to_numpy() for name in ("label", "train"))
    learned, tested = (train == 1) & (label == 0), train == 0
    names = [n for n in table.column_names if n not in (*CATEGORIES, "attack", "label", "train")]
    numbers = np.column_stack([table[name].to_numpy() for name in names])
    texts = np.column_stack([table[name].to_pylist() for name in CATEGORIES])
    levels = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(texts[learned])
    for scale, values in (("as they are", numbers), ("log(1 + x)", np.log1p(numbers))):
        scaler = StandardScaler().fit(values[learned])
        encode = lambda rows: np.hstack([scaler.transform(values[rows]), levels.transform(texts[rows])])
        x, z = encode(learned), encode(tested)
        forests = [IsolationForest(n_estimators=100, random_state=seed).fit(x) for seed in range(3)]
        show(f"IsolationForest, numbers {scale}", label[tested], -np.mean([f.score_samples(z) for f in forests], axis=0))
        distance = NearestNeighbors(n_neighbors=5).fit(x).kneighbors(z)[0][:, -1]
        show(f"kNN (k = 5), numbers {scale}", label[tested], distance)


def show(name, label, score):
    limit = np.quantile(score[label == 0], 0.99)
    recall = np.mean(score[label == 1] > limit)
    area, precision = roc_auc_score(label, score), average_precision_score(label, score)
    print(f"{name}: AUROC {100 * area:.1f}, AUPRC {100 * precision:.1f}, recall at 1 % {100 * recall:.1f} %", flush=True)


main(sys.argv[1])
