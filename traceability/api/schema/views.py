"""The description of the API for machines."""

from drf_spectacular.views import SpectacularAPIView


class Description(SpectacularAPIView):
    """OpenAPI 3.1 in YAML, or in JSON by Accept; open to everybody, as the code is."""

    authentication_classes = ()
    permission_classes = ()
