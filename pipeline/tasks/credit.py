"""German credit: will an applicant of a German bank, about 1975, pay a loan back?"""

import zipfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipeline.schema import Behaviour, Budget, Feature, Kind, Metric, Source, Target, Task

if TYPE_CHECKING:
    import pandas as pd

FILE = "german.data"
RAW = "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871"
UCI = "https://archive.ics.uci.edu"


def _words(name: str, description: str, example: str, categories: str) -> Feature:
    return Feature(name, description, example, categories=tuple(categories.split()))


# In the order of the file; categories in the order of their codes there (A11, A12, …).
ACCOUNT = "below_0_dm 0_to_199_dm 200_dm_or_more none"
HISTORY = "none_taken all_paid_duly existing_paid_duly past_delay critical"
PURPOSE = "new_car used_car furniture radio_tv appliances repairs education vacation retraining "
SAVINGS = "below_100_dm 100_to_499_dm 500_to_999_dm 1000_dm_or_more unknown_or_none"
JOB_TIME = "unemployed below_1_year 1_to_3_years 4_to_6_years 7_years_or_more"
STATUS = "male_divorced female_not_single male_single male_married female_single"
OWNED = "real_estate savings_or_insurance car_or_other unknown_or_none"
JOBS = "unskilled_non_resident unskilled_resident skilled management_or_self_employed"
FEATURES = (
    _words("checking_account", "Balance of the checking account", "none", ACCOUNT),
    Feature("duration", "How long the loan runs", 18, "months", 1, 120),
    _words("credit_history", "How earlier loans were paid back", "existing_paid_duly", HISTORY),
    _words("purpose", "What the loan is for", "radio_tv", PURPOSE + "business other"),
    Feature("amount", "How much is lent", 2500, "DM", 100, 50_000),
    _words("savings", "Savings account or bonds", "below_100_dm", SAVINGS),
    _words("employed_since", "Time in the present job", "1_to_3_years", JOB_TIME),
    Feature("installment_rate", "Rate: 1 is a small part of the income", 3, "class", 1, 4),
    _words("personal_status_sex", "Marital status and sex, as one code", "male_single", STATUS),
    _words("other_debtors", "Who else answers for it", "none", "none co_applicant guarantor"),
    Feature("residence_since", "Time at the present address", 3, "class", 1, 4),
    _words("property", "The most valuable thing owned", "car_or_other", OWNED),
    Feature("age", "Age of the applicant", 35, "years", 18, 100),
    _words("other_installments", "Instalments paid elsewhere", "none", "bank stores none"),
    _words("housing", "How the applicant lives", "own", "rent own free"),
    Feature("existing_credits", "Loans at this bank, this one too", 1, "loans", 1, 4),
    _words("job", "Kind of work", "skilled", JOBS),
    Feature("dependants", "People whom the applicant provides for", 1, "people", 1, 2),
    _words("telephone", "A telephone in the applicant's name", "none", "none yes"),
    _words("foreign_worker", "Whether a foreign worker", "yes", "yes no"),
)
# Two of the attributes count their codes from 0.
FROM_ZERO = ("credit_history", "purpose")


def parse(stream: Path | IO[bytes]) -> "pd.DataFrame":
    """Return the table with the file's codes put into words; an unknown code is left as it is."""
    import pandas as pd

    columns = [feature.name for feature in FEATURES] + ["risk"]
    table = pd.read_csv(
        stream, sep=" ", header=None, names=columns, dtype=str, keep_default_na=False
    )
    for number, feature in enumerate(FEATURES, start=1):
        if feature.categories:
            first = 0 if feature.name in FROM_ZERO else 1
            words = {f"A{number}{i}": w for i, w in enumerate(feature.categories, start=first)}
            table[feature.name] = table[feature.name].replace(words)
    return table.replace({"risk": {"1": "good", "2": "bad"}})


def read_zip(path: Path) -> "pd.DataFrame":
    """Return the table in the archive that UCI hands out today."""
    with zipfile.ZipFile(path) as archive, archive.open(FILE) as member:
        return parse(member)


TASK = Task(
    name="credit",
    title="German credit",
    kind=Kind.CLASSIFICATION,
    description="Estimates the risk that an applicant does not pay a loan back.",
    limits=(
        "1,000 loans of one bank, 1973 to 1975, bad ones drawn three times too often: the "
        "probabilities are not those of any bank today.",
        "Sex, marital status and nationality are among the features. Where the law forbids to use "
        "them, leave them out with `exclude` in params.yaml.",
        "The code table of the data set is known to be partly wrong (Grömping 2019, South German "
        "Credit), the one for sex and for foreign workers among them.",
        "For teaching; not for decisions about people.",
    ),
    features=FEATURES,
    target=Target("risk", "Whether the loan was paid back (good) or not", classes=("good", "bad")),
    metric=Metric("roc_auc", higher_is_better=True),
    thresholds={"roc_auc": 0.7},
    tolerance=1e-5,
    budget=Budget(size_bytes=1_000_000, latency_ms=1.0),
    sources=(
        Source(f"$MLOPS_DATA_DIR/{FILE}", parse, RAW),
        Source(f"{UCI}/ml/machine-learning-databases/statlog/german/{FILE}", parse, RAW),
        Source(f"{UCI}/static/public/144/statlog+german+credit+data.zip", read_zip),
    ),
    homepage=f"{UCI}/dataset/144/statlog+german+credit+data",
    licence="CC BY 4.0",
    digest="f8b70f7300471190cf24966cf6d8eb7fa775a6dd2fcf6cbe803230b28852937a",
    behaviours={
        "An overdrawn account is a higher risk than none": Behaviour(
            "higher",
            {"checking_account": "below_0_dm"},
            given={"checking_account": "none"},
            tolerance=0.05,
        ),
        "The same loan over three more years is a higher risk": Behaviour(
            "higher", {"duration": lambda old: min(old + 36, 72)}, tolerance=0.03
        ),
        "Who never had a loan is a higher risk than who paid several back": Behaviour(
            "higher",
            {"credit_history": "none_taken"},
            given={"credit_history": "critical"},
            tolerance=0.02,
        ),
        "A telephone hardly matters": Behaviour("same", {"telephone": "yes"}, tolerance=0.1),
        "One DM more is nothing": Behaviour("same", {"amount": lambda x: x + 1}, tolerance=0.03),
        "A short loan to someone with savings is a low risk": Behaviour(
            "within",
            given={"checking_account": "none", "duration": 6, "savings": "1000_dm_or_more"},
            within=(0.0, 0.35),
        ),
    },
)
