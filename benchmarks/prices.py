"""What AWS charges, and where that stands."""

# US dollars in us-east-1, without free tiers. Mainland China prices differ; the proportions do not much.
AS_OF = "2026-03"
SOURCES = (
    "https://aws.amazon.com/step-functions/pricing/",
    "https://aws.amazon.com/lambda/pricing/",
    "https://aws.amazon.com/eventbridge/pricing/",
    "https://aws.amazon.com/sqs/pricing/",
)
STANDARD_TRANSITION = 0.025 / 1_000
EXPRESS_REQUEST = 1.00 / 1_000_000
EXPRESS_GB_SECOND = 0.00001667
LAMBDA_REQUEST = 0.20 / 1_000_000
LAMBDA_GB_SECOND = 0.0000166667
EVENT_PUBLISHED = 1.00 / 1_000_000
SQS_REQUEST = 0.40 / 1_000_000
LOGS_GB = 0.50
