"""PCA and IsolationForest on the columns that bench/streams.ts --features wrote.

Run: python bench/streams-baselines.py FOLDER > baselines.csv   (needs pandas and scikit-learn)
PCA: standardised on the training records, reconstruction error outside the components that hold 95 % of the variance.
"""
import sys
from pathlib import Path

import pandas as pd
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

print('stream,method,auroc,auprc')
for path in sorted(Path(sys.argv[1]).glob('*.csv')):
    table = pd.read_csv(path)
    train = table['train'] == 1
    columns = table.drop(columns=['label', 'train'])
    columns = columns.fillna(columns[train].median())
    scaled = StandardScaler().fit(columns[train])
    known, tested = scaled.transform(columns[train]), scaled.transform(columns[~train])
    label = table['label'][~train]
    pca = PCA(0.95, svd_solver='full').fit(known)
    rest = tested - pca.inverse_transform(pca.transform(tested))
    forest = IsolationForest(n_estimators=100, random_state=0).fit(known)
    for method, score in [('PCA', (rest**2).sum(axis=1)), ('IsolationForest', -forest.score_samples(tested))]:
        auroc, auprc = roc_auc_score(label, score), average_precision_score(label, score)
        print(f'{path.stem},{method},{100 * auroc:.2f},{100 * auprc:.2f}')
