"""What the link types that makers register are called, and the languages of links."""

from django.utils.translation import get_language_info, gettext_lazy

KINDS = {
    "epil": gettext_lazy("Package leaflet"),
    "smpc": gettext_lazy("For health professionals (SmPC)"),
    "safetyInfo": gettext_lazy("Safety information"),
    "instructions": gettext_lazy("Instructions for use"),
    "recallStatus": gettext_lazy("The maker on recalls"),
    "certificationInfo": gettext_lazy("Certificates"),
    "pip": gettext_lazy("Product page"),
    "consumerHandlingStorageInfo": gettext_lazy("Handling and storage"),
    "ingredientsInfo": gettext_lazy("Ingredients"),
    "allergenInfo": gettext_lazy("Allergens"),
    "quickStartGuide": gettext_lazy("Quick guide"),
    "tutorial": gettext_lazy("Tutorial"),
    "relatedVideo": gettext_lazy("Video"),
    "faqs": gettext_lazy("Questions and answers"),
    "support": gettext_lazy("Help and contact"),
    "brandHomepagePatient": gettext_lazy("Site for patients"),
    "brandHomepageClinical": gettext_lazy("Site for clinicians"),
    "registryEntry": gettext_lazy("Entry in a register"),
    "sustainabilityInfo": gettext_lazy("Environment and disposal"),
}


def language(tag: str) -> str:
    """A language's name in the reader's language; its tag where nobody has named it, '' for none."""
    if not tag:
        return ""
    try:
        return str(get_language_info(tag.lower())["name_translated"])
    except KeyError:
        return tag
